"""The results as a page that opens from a folder: tables, plots, and neighbours by any method."""
