"""The mail and webhook stand-ins on free ports, with our own channels as their first users."""

from tests.channels.conftest import hooks, hooks_origin, mail, mail_server, serve, webhook

__all__ = ["hooks", "hooks_origin", "mail", "mail_server", "serve", "webhook"]
