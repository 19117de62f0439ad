"""Steps from a file, a Pillow image or an array to pixels."""
