"""LINE: one account of the Messaging API."""
