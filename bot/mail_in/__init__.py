"""Mail that comes to us: the town's mail server hands it over by LMTP."""
