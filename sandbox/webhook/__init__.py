"""A receiver of webhooks to try things on."""
