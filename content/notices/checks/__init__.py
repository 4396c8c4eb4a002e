"""The checks (点検): what makes the words, the target or the circumstances of a notice doubtful. Pure functions."""
