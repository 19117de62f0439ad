"""The plots on the pages."""
