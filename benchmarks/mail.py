"""Individual mails through the ledger on SQLite to Postfix's smtp-sink, beside smtp-source and aiosmtplib.

Every mail has its own unsubscribe token and Message-ID. smtp-source is Postfix's own load generator in C,
which sends the same bytes each time; `sendmail` of aiosmtplib in a loop is what one would write first.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import time
from pathlib import Path

import aiosmtplib
import uvloop
from common import Bench, Figures, Row, cpu_seconds, run
from registry import Register, Seeded, mail_address, seed_sqlite
from sending import send_all
from servers import smtp_sink, smtp_source
from town_hall import BODY, approve, fan_out, open_bench_context, spec

from channels.channel import Recipient
from channels.mail.channel import MailChannel
from channels.mail.messages import MailTemplate, fill
from content.keys import Keys
from content.register.bounce_addresses import bounce_local_part
from content.register.tokens import subscriber_token
from scheduler import notice_service
from scheduler.town_context import announcement


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(mail=options.mails)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    with smtp_sink() as port:
        figures, template = uvloop.run(through_the_ledger(options, folder, seeded, port))
        keys = seeded.keys()
        for name, run_loop in (("library", asyncio.run), ("library_uvloop", uvloop.run)):
            per_s, cpu_ms = run_loop(sendmail_loop(options, port, template, keys))
            figures.update({f"{name}_per_s": per_s, f"{name}_cpu_ms": cpu_ms})
        source = smtp_source(port, options.connections, options.mails, round(figures["bytes"]))
        figures["source_per_s"] = options.mails / source
    return figures


async def through_the_ledger(
    options: argparse.Namespace, folder: Path, seeded: Seeded, port: int
) -> tuple[Figures, MailTemplate]:
    shutil.copy(seeded.database, folder / "bench.db")
    keys = seeded.keys()

    def unsubscribe_url(recipient: Recipient) -> str:
        token = subscriber_token(keys, "unsubscribe", recipient.subscriber_id, recipient.salt)
        return f"https://town.example.jp/unsubscribe/{token}"

    def bounce_address(version_id: int, recipient: Recipient) -> str:
        local = bounce_local_part(keys, recipient.subscriber_id, version_id, recipient.salt)
        return f"{local}@bounce.town.example.jp"

    def message_mark(public_id: str, version_id: int) -> int:
        return keys.number("mail", f"{public_id} {version_id}")

    def channel_of(_account: object) -> MailChannel:
        return MailChannel(
            smtp_url=f"smtp://127.0.0.1:{port}",
            sender="柴田町 <oshirase@town.example.jp>",
            list_id="notices.town.example.jp",
            unsubscribe_url=unsubscribe_url,
            bounce_address=bounce_address,
            message_mark=message_mark,
            message_domain="town.example.jp",
            connections=options.connections,
        )

    context = open_bench_context(seeded, f"sqlite:///{folder}/bench.db", channel_of)
    notice_id = await approve(context, spec("mail", body=BODY * 4))
    await fan_out(context)
    sent = await send_all(context, notice_id, options.mails)
    told = announcement(context, await notice_service.find(context, notice_id))
    template = channel_of(None).prepare(told, "ja")
    size = len(one_mail(template, 1, keys))
    await context.database.close()
    figures = {
        "per_s": options.mails / sent.seconds,
        "cpu_ms": 1000 * sent.cpu / options.mails,
        "bytes": float(size),
    }
    return figures, template


def one_mail(template: MailTemplate, number: int, keys: Keys) -> bytes:
    return fill(
        template,
        to=mail_address(number),
        message_id=f"<kairanban.1.{number}@town.example.jp>",
        unsubscribe_url=f"https://town.example.jp/unsubscribe/{keys.sign('unsubscribe', str(number))}",
    )


async def sendmail_loop(
    options: argparse.Namespace, port: int, template: MailTemplate, keys: Keys
) -> tuple[float, float]:
    """The same mails by aiosmtplib, one `sendmail` each, without a ledger: mails/s, ms CPU each."""
    number = min(options.mails, options.library_mails)
    left = iter(range(1, number + 1))
    cpu, begun = cpu_seconds(), time.perf_counter()

    async def work() -> None:
        async with aiosmtplib.SMTP(
            hostname="127.0.0.1", port=port, local_hostname="town.example.jp"
        ) as client:
            for one in left:
                content = one_mail(template, one, keys)
                await client.sendmail("oshirase@town.example.jp", [mail_address(one)], content)

    await asyncio.gather(*(work() for _ in range(10)))
    seconds = time.perf_counter() - begun
    return number / seconds, 1000 * (cpu_seconds() - cpu) / number


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    value = f"{median['per_s']:.0f} mails/s, {median['cpu_ms']:.3f} ms CPU each"
    source = median["per_s"] / median["source_per_s"]
    return [
        Row(
            f"{options.mails:,} mails of {median['bytes']:.0f} bytes, {options.connections} connections",
            value,
            f"smtp-source -d, {options.connections} sessions: {median['source_per_s']:.0f}/s",
            f"{source:.2f}",
            "≥ 0.8",
            source >= 0.8,
        ),
        *(
            Row(
                "the same",
                value,
                f"aiosmtplib sendmail on {loop}, 10 connections, {options.library_mails:,} mails: "
                f"{median[f'{name}_per_s']:.0f}/s, {median[f'{name}_cpu_ms']:.3f} ms CPU each",
                f"{median['per_s'] / median[f'{name}_per_s']:.2f}",
                "≥ 5",
                median["per_s"] >= 5 * median[f"{name}_per_s"],
            )
            for name, loop in (("library", "asyncio's own loop"), ("library_uvloop", "uvloop"))
        ),
    ]


if __name__ == "__main__":
    run(
        Bench(
            "mail",
            "Mail through the ledger on SQLite",
            (
                ("mails", 100_000, "mails"),
                ("connections", 10, "SMTP connections"),
                ("library_mails", 10_000, "mails of the aiosmtplib loop"),
            ),
            prepare,
            measure,
            rows,
        )
    )
