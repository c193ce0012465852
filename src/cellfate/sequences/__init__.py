"""From recordings and tracks to what a model is given: crops, samples, splits, normalisation, batches. No torch."""
