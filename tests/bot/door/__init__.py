"""The door: what strangers may do to it."""
