"""Searching for one picture: an index on disk, and what is found in it."""
