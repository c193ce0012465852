"""Torch modules of the fate classifier: frame encoders, temporal Transformer, attention pooling. No loops, no files."""
