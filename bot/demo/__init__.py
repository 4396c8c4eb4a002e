"""The whole service on one machine, with stand-ins outside and a seeded town inside."""
