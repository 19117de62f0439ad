"""Vectors, local features and fitted estimators on disk, under what they were made from."""
