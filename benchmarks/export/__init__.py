"""Results taken away: vectors, searches, tables."""
