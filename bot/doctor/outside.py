"""What stands outside: LINE with its token and webhook, the mail server and its login, accounts that post, the
clock by LINE's Date.

Nothing is sent to anybody: LINE is asked about the account, the mail server is greeted and left.
"""

from __future__ import annotations

import asyncio

from bot.accounts import line_api
from bot.doctor.findings import Finding, good, problem, warning
from bot.doctor.mail_dns import examine_mail_dns
from bot.posting import missing_of, posting_channel
from bot.settings import Settings
from channels.channel import AccountStopped, ChannelError, ProbedSession
from channels.line.api import LineApi
from channels.mail.plain import greet
from content.town import Account, Town
from scheduler.words import CHANNEL_NAMES

LINE, MAIL, CLOCK = "LINE", "メールサーバー", "時計"
# Seconds. Dates in headers are whole seconds, and the answer takes its time too.
FAR_OFF = 5.0
ANSWER_WITHIN = 15.0


async def examine_outside(settings: Settings, town: Town) -> list[Finding]:
    """In the order LINE, mail; side by side, since either may be silent until its time is over."""
    ways = []
    if "line" in town.channels and settings.line.channel_token.get_secret_value():
        ways.append(_line(settings))
    if "mail" in town.channels and settings.mail.smtp_url.get_secret_value():
        ways.append(_mail(settings))
        if settings.public_url.startswith("https://"):
            # A trial on one machine has no domain of its own.
            ways.append(examine_mail_dns(settings))
    ways += [_account(settings, account) for account in town.accounts if account.posts]
    return [finding for found in await asyncio.gather(*ways) for finding in found]


async def _line(settings: Settings) -> list[Finding]:
    api = line_api(settings)
    try:
        info = await api.bot_info()
        return [
            good(LINE, f"アクセストークンが使えます({info.get('basicId', '')})"),
            *await _webhook(settings, api),
            *await _clock(api),
        ]
    except ChannelError as error:
        return [
            problem(
                LINE,
                error.message,
                "LINE Developers コンソールでアクセストークンを確かめ、KAIRANBAN_LINE__CHANNEL_TOKEN に書いてください",
            )
        ]
    finally:
        await api.close()


async def _account(settings: Settings, account: Account) -> list[Finding]:
    """Of an account that posts: whether its service takes its credentials, where it can be asked."""
    subject = f"{CHANNEL_NAMES[account.channel]}({account.topic or account.key})"
    empty = missing_of(settings, [account]).get(account.key)
    if empty:
        return [
            problem(subject, "接続の設定が足りません", f"{'、'.join(empty)} を書いてください(docs/sns.md)")
        ]
    session = posting_channel(settings, account).open()
    try:
        if not isinstance(session, ProbedSession):
            return [good(subject, "設定はあります(この投稿先は、投稿せずに確かめることができません)")]
        async with asyncio.timeout(ANSWER_WITHIN):
            await session.probe()
    except AccountStopped as error:
        return [problem(subject, error.message, error.reason.remedy)]
    except (ChannelError, TimeoutError, OSError) as error:
        words = error.message if isinstance(error, ChannelError) else "時間内に応答がありません"
        return [warning(subject, words, "回線と、投稿先の状態を確かめてください")]
    finally:
        await session.close()
    return [good(subject, "投稿先が、このアカウントを受け付けています")]


async def _webhook(settings: Settings, api: LineApi) -> list[Finding]:
    wanted = f"{settings.public_url}/line/webhook"
    found = await api.webhook_endpoint()
    if found is None:
        return [
            problem(
                LINE,
                "Webhook URL が登録されていません",
                f"LINE Developers コンソールに {wanted} を登録してください",
            )
        ]
    url, active = found
    if url.partition("?site=")[0] != wanted:
        return [
            warning(
                LINE,
                f"Webhook URL は {url} です",
                f"このサービスのものは {wanted} です。違っていれば直してください",
            )
        ]
    if not active:
        return [
            problem(
                LINE,
                "Webhookの利用がオフです",
                "LINE Developers コンソールで「Webhookの利用」をオンにしてください",
            )
        ]
    return [good(LINE, "Webhook URL が登録されています")]


async def _clock(api: LineApi) -> list[Finding]:
    """Signatures, lateness and the send time all go by a clock: LINE's own is right."""
    found = await api.own_clock_ahead()
    if found is None:
        return []
    ahead = round(found)
    if abs(ahead) <= FAR_OFF:
        return [good(CLOCK, "LINEの時計と合っています")]
    return [
        problem(
            CLOCK,
            f"LINEの時計より{ahead}秒ずれています",
            "時計合わせ(NTP: chrony、systemd-timesyncd)を動かしてください",
        )
    ]


async def _mail(settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await greet(settings.mail.smtp_url.get_secret_value(), timeout=ANSWER_WITHIN)
    except Exception as error:
        # A server's own words may repeat the login.
        return [
            problem(
                MAIL,
                f"つながりません({type(error).__name__})",
                "KAIRANBAN_MAIL__SMTP_URL の宛先・ユーザー・パスワードと、サーバーが動いているかを確かめてください",
            )
        ]
    return [good(MAIL, "つながり、ログインできます")]
