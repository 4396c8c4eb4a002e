"""The resident on LINE: webhook, conversation, settings by buttons, rich menu."""
