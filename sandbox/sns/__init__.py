"""Stand-ins for social networks and chats: they keep what is posted, show it, and fail on request."""
