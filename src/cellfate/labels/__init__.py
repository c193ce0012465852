"""What people scored: a journal that is only added to, the table that follows from it, and how it counts in a study."""
