"""What the town says, to whom, and what became of it. Knows nobody above."""
