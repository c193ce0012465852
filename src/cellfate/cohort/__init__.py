"""Who is asked what, and who tests whom: follow-ups, landmarks, questions, splits, leakage. No pixels."""
