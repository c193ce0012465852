"""Known answers in pixels that are there: crops of a finished study, gently altered, with invented fates."""
