"""Local stand-ins for the services outside: the LINE platform, an SMTP server, a webhook receiver."""
