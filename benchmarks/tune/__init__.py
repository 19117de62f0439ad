"""Choosing a row's parameters by its training images alone."""
