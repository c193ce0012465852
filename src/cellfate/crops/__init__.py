"""Cells cut out of images: the store of crops, its cutting, and how pixels are prepared for a network. No torch."""
