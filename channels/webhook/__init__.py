"""Webhooks: each notice posted to who registered a URL, signed."""
