"""Channels, modes and urgencies as staff and residents read them."""

CHANNEL_NAMES = {"line": "LINE", "mail": "メール", "webhook": "Webhook"}
MODE_NAMES = {"live": "本番", "drill": "訓練", "test": "試験"}
URGENCY_NAMES = {"urgent": "緊急", "routine": "通常"}
