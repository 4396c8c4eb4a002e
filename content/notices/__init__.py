"""What is said, when and to whom: notices, triggers, recurrence, segments and the counts of an audience."""
