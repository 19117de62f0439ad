"""The Markdown pages of a dataset, one module a page."""
