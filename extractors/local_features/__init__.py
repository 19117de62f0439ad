"""Keypoints, their descriptors, and encoders that make one vector of all of them."""
