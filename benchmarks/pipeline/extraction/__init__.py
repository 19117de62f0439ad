"""Images to vectors by every extractor, in as few passes over the pictures as can be."""
