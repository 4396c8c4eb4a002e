"""When it is said: triggers, fan-out, sending, sweeps. Knows channels and content."""
