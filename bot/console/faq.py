"""Questions that residents often ask (よくある質問), as staff keep them; in the order in which they are asked."""

from __future__ import annotations

import unicodedata

from aiohttp import web
from pydantic import ValidationError

from bot.console.access import StaffRequest
from bot.console.record_pages import find_or_404, free_key, save
from bot.console.words import language_words
from bot.forms import Fields, read_fields
from bot.pages import redirect
from channels.rendering import clean
from content.notices.faq import (
    ANSWER_LIMIT,
    KEYWORD_LIMIT,
    MOST_ENTRIES,
    MOST_KEYWORDS,
    QUESTION_LIMIT,
    FaqEntry,
    FaqWords,
    asked,
    by_demand,
)
from content.notices.records import RecordKind, all_records

KIND = RecordKind.FAQ
PATH = "/console/faq"
STALE = "ほかの人が先に保存しました。一覧から開き直してください。まだ保存していません。"


async def show_list(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        records = await all_records(connection, KIND)
        numbers = await asked(connection)
    entries = [item.content for item in records if item.content is not None]
    return staff_request.page(
        "console/faq.html",
        entries=by_demand(entries, numbers),
        closed=[item for item in entries if item.closed],
        unreadable=[item.key for item in records if item.content is None],
        numbers=numbers,
    )


async def show_new(staff_request: StaffRequest) -> web.Response:
    return _form_page(staff_request, None, {}, 0)


async def show_edit(staff_request: StaffRequest) -> web.Response:
    found = await find_or_404(staff_request, KIND)
    values: dict[str, str] = {}
    if found.content is not None:
        for language, words in found.content.texts.items():
            values |= {f"question.{language}": words.question, f"answer.{language}": words.answer}
        values |= {"keywords": "、".join(found.content.keywords)}
        values |= {"closed": "1"} if found.content.closed else {}
    return _form_page(staff_request, found.key, values, found.version)


async def create(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, None)


async def change(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, (await find_or_404(staff_request, KIND)).key)


async def _store(staff_request: StaffRequest, key: str | None) -> web.Response:
    fields = await read_fields(staff_request.request)
    values = {name: clean(value).strip() for name, value in fields.items()}
    sent = fields.get("version", "")
    version = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
    problems = _problems(staff_request, values)
    if key is None and not problems:
        async with staff_request.service.database.read() as connection:
            if len(await all_records(connection, KIND)) >= MOST_ENTRIES:
                problems = [f"{MOST_ENTRIES}件までです。使わないものを直して使ってください。"]
    if problems:
        return _form_page(staff_request, key, values, version, problems, status=422)
    try:
        entry = _entry(staff_request, fields, values, key or free_key("f"))
    except ValidationError as error:
        told = [item["msg"] for item in error.errors(include_url=False, include_input=False)]
        return _form_page(staff_request, key, values, version, told, status=422)
    if await save(staff_request, KIND, entry, version=version):
        return redirect(PATH)
    return _form_page(staff_request, key, values, version, [STALE], status=409)


def _entry(staff_request: StaffRequest, fields: Fields, values: dict[str, str], key: str) -> FaqEntry:
    texts = {
        language: FaqWords(question=values[f"question.{language}"], answer=values[f"answer.{language}"])
        for language in staff_request.service.town.languages
        if values.get(f"question.{language}") and values.get(f"answer.{language}")
    }
    return FaqEntry(
        key=key, texts=texts, keywords=_keywords(values.get("keywords", "")), closed="closed" in fields
    )


def _keywords(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKC", text)
    for sign in "、,;\n":
        plain = plain.replace(sign, "\n")
    return tuple(dict.fromkeys(word.strip() for word in plain.split("\n") if word.strip()))


def _problems(staff_request: StaffRequest, values: dict[str, str]) -> list[str]:
    problems = []
    for language in staff_request.service.town.languages:
        question, answer = values.get(f"question.{language}", ""), values.get(f"answer.{language}", "")
        if language == "ja" and not (question and answer):
            problems.append("日本語の質問と答えを書いてください。")
        elif bool(question) != bool(answer):
            problems.append("質問と答えは、同じことばで両方書くか、両方空にしてください。")
        if len(question) > QUESTION_LIMIT or len(answer) > ANSWER_LIMIT:
            problems.append(f"質問は{QUESTION_LIMIT}文字、答えは{ANSWER_LIMIT}文字までです。")
    keywords = _keywords(values.get("keywords", ""))
    if len(keywords) > MOST_KEYWORDS or any(len(word) > KEYWORD_LIMIT for word in keywords):
        problems.append(f"さがす言葉は{MOST_KEYWORDS}個まで、ひとつ{KEYWORD_LIMIT}文字までです。")
    return list(dict.fromkeys(problems))


def _form_page(
    staff_request: StaffRequest,
    key: str | None,
    values: dict[str, str],
    version: int,
    problems: list[str] | None = None,
    *,
    status: int = 200,
) -> web.Response:
    return staff_request.page(
        "console/faq_entry.html",
        status=status,
        key=key,
        values=values,
        version=version,
        problems=problems or [],
        language_words=language_words,
    )
