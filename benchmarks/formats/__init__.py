"""Files and their formats: JSON, Markdown, CSV, sheets of pictures."""
