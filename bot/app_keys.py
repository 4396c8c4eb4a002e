"""What the web application carries: handlers find the service as `request.app[SERVICE]`."""

from __future__ import annotations

from collections import OrderedDict

from aiohttp import web

from bot.service import Service
from content.staff.throttle import Throttle

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
# How often a source has asked for a letter.
MAIL_ASKS: web.AppKey[Throttle] = web.AppKey("mail_asks", Throttle)
# Pictures of notices by public id and language, drawn lately.
CARDS: web.AppKey[OrderedDict[tuple[str, str], bytes]] = web.AppKey("cards", OrderedDict)
