"""Methods: the lines of the results table, from a name or a preset to what it runs."""
