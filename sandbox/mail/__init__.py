"""A mail server to try things on: keeps what it gets, shows it, and fails on request."""
