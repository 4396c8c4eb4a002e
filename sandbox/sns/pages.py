"""The page of the stand-ins: what every account shows now, as its followers see it."""

from __future__ import annotations

from base64 import b64encode
from itertools import groupby

from aiohttp import web

from sandbox.layout import environment, page
from sandbox.sns.keys import SANDBOX
from sandbox.sns.state import Post

SHOWN = 200
LABELS = {
    "mastodon": "Mastodon",
    "bluesky": "Bluesky",
    "x": "X",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "threads": "Threads",
    "slack": "Slack",
    "discord": "Discord",
    "teams": "Teams",
}
STATES = {"out": "", "edited": "書きかえられました", "deleted": "消されました"}

TEMPLATES = environment(
    {
        "posts": """{% extends "layout" %}
{% block title %}SNSとチャットの投稿{% endblock %}
{% block main %}
<style>
.wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
.account { border: 1px solid #767676; border-radius: 10px; padding: .5rem .9rem; background: #f6f7f9; min-width: 0; }
.account h2 { font-size: 1.1rem; margin: .2rem 0; overflow-wrap: anywhere; }
.post { background: #fff; border: 1px solid #c5cad3; border-radius: 8px; padding: .6rem .8rem; margin: .6rem 0; }
.post.reply { margin-left: 1.2rem; border-left: 4px solid #0b4f9c; }
.post p { margin: 0; } .post .words { white-space: pre-wrap; overflow-wrap: anywhere; }
.post small { color: #4a4f57; display: block; }
.post.deleted .words { text-decoration: line-through; color: #4a4f57; }
.post img { display: block; max-width: 100%; height: auto; border-radius: 6px; margin-bottom: .4rem; }
</style>
{% if accounts %}
<p>{{ number }} 件の投稿。<span lang="en">Posts of every account, the newest first.</span></p>
<div class="wall">
{% for service, account, posts in accounts %}
<section class="account" aria-label="{{ service }} {{ account }}">
<h2>{{ service }} <small>@{{ account }}</small></h2>
{% for post in posts %}
<article class="post {{ post.state }}{% if post.reply_to %} reply{% endif %}">
{% if post.picture %}<img src="data:image/jpeg;base64,{{ post.picture|picture }}" alt="">{% endif %}
<p class="words">{{ post.text }}</p>
<small>{{ (post.created_at * 1000)|int|clock }}{% if post.reply_to %} ・ {{ post.reply_to }} への返信{% endif %}{% if states[post.state] %} ・ <span class="bad">{{ states[post.state] }}</span>{% endif %}</small>
</article>
{% endfor %}
</section>
{% endfor %}
</div>
{% else %}
<p>まだ投稿はありません。<span lang="en">Nothing yet.</span></p>
{% endif %}
{% endblock %}""",
    }
)
TEMPLATES.filters["picture"] = lambda content: b64encode(content).decode()


async def show(request: web.Request) -> web.Response:
    # What was prepared and not published is no post.
    posts = [item for item in request.app[SANDBOX].posts if item.service in LABELS]
    newest = posts[::-1][:SHOWN]

    def owner(item: Post) -> tuple[str, str]:
        return LABELS.get(item.service, item.service), item.account

    accounts = [(*key, list(items)) for key, items in groupby(sorted(newest, key=owner), key=owner)]
    return page(TEMPLATES, "posts", accounts=accounts, number=len(newest), states=STATES)
