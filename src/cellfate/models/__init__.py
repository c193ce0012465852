"""Networks of the classifier and of the fate clock, and boosted hazards. No loops, no files."""
