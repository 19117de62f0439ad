"""Faults of every kind, tried many times: what is lost by each."""
