"""The ways out that are fetched: feeds, calendars, alerts for machines, displays, print."""
