"""Convolutional networks: pretrained, fine-tuned, or trained from scratch."""
