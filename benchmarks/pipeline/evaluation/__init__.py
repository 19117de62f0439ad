"""Vectors to scores: fit, search, check, time."""
