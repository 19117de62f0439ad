"""Images: a dataset in its parts, its training images, its variants, or a plain folder."""
