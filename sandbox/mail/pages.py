"""The inbox of the mail stand-in: pages for people, a small JSON API for tests and benchmarks.

All links are relative, so the application can be mounted under a prefix (`add_subapp("/mail/", …)`).
"""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.layout import environment, page
from sandbox.mail.faults import faults_as_json, faults_from_json
from sandbox.mail.server import Mail, SmtpSandbox

SANDBOX = web.AppKey("sandbox", SmtpSandbox)
SHOWN_MAILBOXES = 500
SHOWN_HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)

TEMPLATES = environment(
    {
        "mailboxes": """{% extends "layout" %}
{% block title %}受信箱の一覧{% endblock %}
{% block main %}
<p>届いたメール {{ stats.messages }} 通、宛先 {{ stats.recipients }} 件、同じ Message-ID の重複 {{ stats.duplicates }} 通。
<span lang="en">Messages, recipients, duplicates by Message-ID.</span></p>
{% if mailboxes %}
<table>
<caption>宛先ごとの受信数（{{ mailboxes|length }} 件を表示） <span lang="en">Mailboxes</span></caption>
<thead><tr><th scope="col">宛先 <span lang="en">To</span></th><th scope="col">通数 <span lang="en">Mails</span></th></tr></thead>
<tbody>
{% for address, count in mailboxes %}
<tr><td><a href="mailboxes/{{ address|path }}">{{ address }}</a></td><td>{{ count }}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>まだメールは届いていません。<span lang="en">No mail yet.</span></p>
{% endif %}
{% endblock %}""",
        "mailbox": """{% extends "layout" %}
{% block title %}{{ address }} の受信箱{% endblock %}
{% block nav %}<nav aria-label="パンくず"><a href="../">受信箱の一覧</a></nav>{% endblock %}
{% block main %}
<table>
<caption>新しい順 <span lang="en">Newest first</span></caption>
<thead><tr><th scope="col">題名 <span lang="en">Subject</span></th><th scope="col">届いた時刻 <span lang="en">Received</span></th></tr></thead>
<tbody>
{% for mail, subject in mails %}
<tr><td><a href="../messages/{{ mail.number }}">{{ subject or "（題名なし）" }}</a></td><td>{{ mail.received_at|clock }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endblock %}""",
        "mail": """{% extends "layout" %}
{% block title %}{{ subject or "（題名なし）" }}{% endblock %}
{% block nav %}<nav aria-label="パンくず"><a href="../">受信箱の一覧</a> › <a href="../mailboxes/{{ mail.recipient|path }}">{{ mail.recipient }}</a></nav>{% endblock %}
{% block main %}
<table>
<caption>見出し <span lang="en">Headers</span></caption>
<tbody>
{% for name, value in headers %}
<tr><th scope="row" lang="en">{{ name }}</th><td>{{ value }}</td></tr>
{% endfor %}
<tr><th scope="row">封筒の差出人 <span lang="en">Envelope from</span></th><td>{{ mail.sender }}</td></tr>
</tbody>
</table>
<h2>本文 <span lang="en">Text</span></h2>
<pre class="text">{{ text }}</pre>
<details><summary>元のデータ <span lang="en">Source</span></summary><pre tabindex="0">{{ source }}</pre></details>
{% endblock %}""",
    }
)
TEMPLATES.filters["path"] = lambda text: quote(text, safe="")


def create_app(sandbox: SmtpSandbox) -> web.Application:
    """Pages at "/", "/mailboxes/{address}", "/messages/{number}"; JSON under "/api/"."""
    app = web.Application()
    app[SANDBOX] = sandbox
    app.add_routes(
        [
            web.get("/", _mailboxes),
            web.get("/mailboxes/{address}", _mailbox),
            web.get(r"/messages/{number:\d+}", _mail),
            web.get("/api/messages", _api_messages),
            web.delete("/api/messages", _api_clear),
            web.get("/api/stats", _api_stats),
            web.get("/api/faults", _api_faults),
            web.put("/api/faults", _api_set_faults),
        ]
    )
    return app


async def _mailboxes(request: web.Request) -> web.Response:
    mailroom = request.app[SANDBOX].mailroom
    mailboxes = mailroom.recipients.most_common(SHOWN_MAILBOXES)
    return page(TEMPLATES, "mailboxes", stats=mailroom.stats(), mailboxes=mailboxes)


async def _mailbox(request: web.Request) -> web.Response:
    address = request.match_info["address"]
    found = request.app[SANDBOX].mailroom.to(address)
    mails = [(mail, str(_parse(mail)["Subject"] or "")) for mail in reversed(found[-SHOWN_MAILBOXES:])]
    if not mails:
        raise web.HTTPNotFound(text="この宛先のメールはありません。")
    return page(TEMPLATES, "mailbox", address=address, mails=mails)


async def _mail(request: web.Request) -> web.Response:
    number = int(request.match_info["number"])
    found = [mail for mail in request.app[SANDBOX].mailroom.mails if mail.number == number]
    if not found:
        raise web.HTTPNotFound(text="このメールはありません（古いものから消えます）。")
    mail, message = found[0], _parse(found[0])
    headers = [(name, str(message[name])) for name in SHOWN_HEADERS if message[name] is not None]
    source = mail.source.decode("utf-8", "replace")
    values = {"mail": mail, "headers": headers, "text": _text(message), "source": source}
    return page(TEMPLATES, "mail", subject=str(message["Subject"] or ""), **values)


async def _api_messages(request: web.Request) -> web.Response:
    mails = request.app[SANDBOX].mailroom.to(request.query.get("to"))
    limit = int(request.query.get("limit", "1000"))
    return web.json_response([_as_json(mail) for mail in mails[-limit:]])


async def _api_clear(request: web.Request) -> web.Response:
    request.app[SANDBOX].mailroom.clear()
    return web.Response(status=204)


async def _api_stats(request: web.Request) -> web.Response:
    return web.json_response(request.app[SANDBOX].mailroom.stats())


async def _api_faults(request: web.Request) -> web.Response:
    return web.json_response(faults_as_json(request.app[SANDBOX].faults))


async def _api_set_faults(request: web.Request) -> web.Response:
    try:
        request.app[SANDBOX].faults = faults_from_json(await request.json())
    except (TypeError, ValueError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    return await _api_faults(request)


def _parse(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.source, policy=policy.default)


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""


def _as_json(mail: Mail) -> dict[str, Any]:
    message = _parse(mail)
    return {
        "id": mail.number,
        "received_at": mail.received_at,
        "from": mail.sender,
        "to": mail.recipient,
        "message_id": mail.message_id,
        "subject": str(message["Subject"] or ""),
        "headers": {name: str(value) for name, value in message.items()},
        "text": _text(message),
    }
