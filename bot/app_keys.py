"""What the web application carries: handlers find the service as `request.app[SERVICE]`."""

from __future__ import annotations

from aiohttp import web

from bot.service import Service

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
