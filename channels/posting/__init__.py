"""Posts: one message that an account shows to everybody, where the other channels write to each reader."""
