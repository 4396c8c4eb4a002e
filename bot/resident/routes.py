"""Every public page."""

from __future__ import annotations

from collections import OrderedDict

from aiohttp import web

from bot.app_keys import CARDS, MAIL_ASKS
from bot.pictures import PICTURE
from bot.resident import (
    archive,
    cards,
    landing,
    liff,
    notice,
    performance,
    pictures,
    poster,
    preferences,
    privacy,
    read,
    subscribe,
    unsubscribe,
)
from content.staff.throttle import Throttle


def add_resident(app: web.Application) -> None:
    app[MAIL_ASKS] = Throttle()
    app.router.add_get("/", landing.show_landing)
    app[poster.MADE] = poster.MadeOnce()
    app.router.add_get("/poster", poster.show_poster)
    app.router.add_get("/poster.pdf", poster.poster_pdf)
    app.router.add_get("/archive", archive.show_archive)
    app.router.add_get("/performance", performance.show_performance)
    app.router.add_get("/privacy", privacy.show_privacy)
    app.router.add_get("/subscribe", subscribe.show_subscribe)
    app.router.add_post("/subscribe", subscribe.ask_by_form)
    app.router.add_get("/subscribe/sent", subscribe.show_sent)
    app.router.add_get("/subscribe/{token}", subscribe.show_confirm)
    app.router.add_post("/subscribe/{token}", subscribe.confirm)
    app.router.add_get("/preferences", preferences.show_settings)
    app.router.add_post("/preferences", preferences.save_settings)
    app.router.add_post("/preferences/children", preferences.add_child)
    app.router.add_post("/preferences/children/remove", preferences.remove_child)
    app.router.add_post("/preferences/group", preferences.join)
    app.router.add_get("/preferences/export", preferences.export)
    app.router.add_get("/preferences/erase", preferences.show_erase)
    app.router.add_post("/preferences/erase", preferences.erase)
    app.router.add_post("/preferences/close", preferences.close)
    app.router.add_get("/preferences/line", liff.show_opening)
    app.router.add_post("/preferences/line", liff.open_by_line)
    app.router.add_get("/preferences/{token}", subscribe.show_open_settings)
    app.router.add_post("/preferences/{token}", subscribe.open_by_link)
    app.router.add_get("/n/{public_id}", notice.show_notice)
    app.router.add_get(f"/n/{{public_id}}/{PICTURE}", pictures.show_picture)
    app[CARDS] = OrderedDict()
    app.router.add_get("/n/{public_id}/card-{language:[a-z-]{2,12}}.jpg", cards.show_card)
    app.router.add_get("/n/{public_id}/read/{token}", read.show_read)
    app.router.add_post("/n/{public_id}/read/{token}", read.read)
    app.router.add_get("/unsubscribe/{token}", unsubscribe.show_unsubscribe)
    app.router.add_post("/unsubscribe/{token}", unsubscribe.unsubscribe)
