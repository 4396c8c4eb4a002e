"""The public pages: a notice, the end of a registration, and what this service is."""
