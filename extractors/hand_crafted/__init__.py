"""Hand-crafted descriptors of colour, texture and shape, in which nothing is learned."""
