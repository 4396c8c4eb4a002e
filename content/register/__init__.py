"""Who registered: subscribers and their changes, preferences, addresses, import and export, inbound events."""
