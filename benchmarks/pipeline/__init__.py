"""The main path, in the order of the data: loading, extraction, evaluation, records."""
