"""Descriptors that somebody designed: colour, texture, shape. Nothing in them is learned."""
