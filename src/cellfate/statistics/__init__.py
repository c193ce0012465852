"""Ranks and weighted scores, grouped bootstrap, censoring, incidence, thresholds, effect sizes. NumPy in, NumPy out."""
