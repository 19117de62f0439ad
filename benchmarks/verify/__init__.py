"""A run checks itself: its numbers beside published ones of the same pictures and protocol."""
