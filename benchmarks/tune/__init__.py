"""Tuning: a method's parameters, chosen by training images alone."""
