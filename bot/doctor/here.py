"""What stands on this machine: profile, key, database, disk, clock, limits, fonts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.accounts import missing_settings, unsafe_links
from bot.backup_proofs import last_proved
from bot.belonging import refuse_strange
from bot.doctor.findings import Finding, good, problem, warning
from bot.door.descriptors import shortage
from bot.heartbeat import WORDS
from bot.line.menu_picture import NoPicture, find_font
from bot.service import refuse_shared_credentials
from bot.settings import Settings
from content.clock import DAY, SECOND, today_jst
from content.database import Database, UnknownDatabase, identity
from content.database.files import sqlite_file
from content.database.identity import WrongDatabase
from content.database.secret_keys import SecretKey, in_force, known_keys
from content.key_file import KeyFileError
from content.keys import Keys, load_keys
from content.schema import SchemaMismatch, require_current
from content.town import Town, TownProfileError, load_town

# As the alarm `disk-full` has it.
FREE_SHARE, FREE_BYTES = 0.05, 2 * 2**30
PROVED_EVERY = 92 * DAY
PROFILE, KEY, DATABASE, DISK, CLOCK = "町の設定", "秘密鍵", "データベース", "ディスク", "時計"
COPIES = "控え"


def examine_profile(settings: Settings) -> tuple[Town | None, list[Finding]]:
    try:
        town = load_town(settings.town)
        refuse_shared_credentials(town)
    except TownProfileError as error:
        return None, [
            problem(
                PROFILE, str(error), f"{settings.town} を直し、`kairanban config check` で確かめてください"
            )
        ]
    found = [good(PROFILE, f"{town.name}({town.code})")]
    if missing := missing_settings(settings, town):
        found.append(
            problem(
                "設定",
                f"空の設定があります: {', '.join(missing)}",
                "環境変数か kairanban.toml に書いてください",
            )
        )
    if unsafe := unsafe_links(settings, town):
        found.append(
            problem("設定", unsafe, "KAIRANBAN_WEB__PUBLIC_URL に https:// のアドレスを書いてください")
        )
    if settings.public_url.startswith("https://") and not settings.web.trusted_proxies:
        found.append(
            warning(
                "設定",
                "逆プロキシのアドレスが書かれていないため、全員が同じところから来たように数えられます",
                "KAIRANBAN_WEB__TRUSTED_PROXIES に逆プロキシのアドレスを書いてください(例 127.0.0.1)",
            )
        )
    if not settings.alarms.mail_addresses and not settings.alarms.webhook_url.get_secret_value():
        found.append(
            warning(
                "警報",
                "知らせる相手がいません",
                "KAIRANBAN_ALARMS__MAIL_TO か KAIRANBAN_ALARMS__WEBHOOK_URL を書いてください",
            )
        )
    if not settings.audit.line_file and not settings.audit.mail_addresses:
        found.append(
            warning(
                "操作の記録",
                "控えを外に置いていません(このサーバーに入られると、消されたことが分かりません)",
                "KAIRANBAN_AUDIT__LINE_MAIL_TO か KAIRANBAN_AUDIT__LINE_FILE を書いてください",
            )
        )
    return town, found


def examine_key(settings: Settings) -> tuple[Keys | None, list[Finding]]:
    try:
        keys = load_keys(settings.secret_key_file)
    except KeyFileError as error:
        return None, [problem(KEY, str(error), "別の場所の控えから戻すか、新しい町なら `kairanban init`")]
    return keys, [good(KEY, str(settings.secret_key_file))]


async def examine_database(settings: Settings, town: Town | None, keys: Keys | None) -> list[Finding]:
    """Reaching it, its version, whose it is, whether it waits for a person, and the clock that it goes by."""
    url = settings.database_url.get_secret_value()
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return [
            problem(
                DATABASE,
                f"{file} がありません",
                "`kairanban init` で作るか、`kairanban restore 控え` で戻してください",
            )
        ]
    try:
        database = Database(url)
    except UnknownDatabase as error:
        return [problem(DATABASE, str(error), "KAIRANBAN_DATABASE_URL を直してください")]
    try:
        await require_current(database)
        await database.ask_time()
        async with database.read() as connection:
            found = await identity.read(connection)
            known = await known_keys(connection)
        if found is not None and town is not None and keys is not None:
            refuse_strange(found, town, keys)
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        held = found is not None and found.held_since is not None
        return [
            _held(found.held_reason) if found is not None and held else good(DATABASE, kind),
            _clock(database),
            _copies(await last_proved(database), database.now()),
            *_exchange(known),
        ]
    except SchemaMismatch as error:
        return [problem(DATABASE, str(error), "すべてのプロセスを止め、控えを取ってから `kairanban init`")]
    except (WrongDatabase, KeyFileError) as error:
        return [problem(DATABASE, str(error), "町の設定・データベース・秘密鍵の組み合わせを確かめてください")]
    except Exception as error:
        # Whatever its driver raises; its words may hold the address with a password.
        kind = type(getattr(error, "orig", None) or error).__name__
        return [
            problem(
                DATABASE,
                f"届きません({kind})",
                "KAIRANBAN_DATABASE_URL と、データベースが動いているかを確かめてください",
            )
        ]
    finally:
        await database.close()


def _held(reason: str) -> Finding:
    words = f"{WORDS.get(reason, reason)}。人が確かめるまで、何も送りません"
    return problem(
        DATABASE, words, "`kairanban restore` で待っているものを見て、`--confirm` で再開してください"
    )


def _copies(proved: int | None, now: int) -> Finding:
    if proved is not None and now - proved < PROVED_EVERY:
        return good(COPIES, f"{today_jst(proved).isoformat()} に、戻せることを確かめました")
    words = (
        "戻せることを、まだ確かめていません"
        if proved is None
        else "戻せることを、三月より長く確かめていません"
    )
    return warning(
        COPIES, words, "`kairanban backup 控えのファイル --prove` で確かめてください(何も送りません)"
    )


def _exchange(known: Sequence[SecretKey]) -> list[Finding]:
    """A key whose exchange was begun and not ended."""
    left = [key for key in known if key.retired_at is None]
    newest = in_force(known)
    if any(key.in_force_at is None for key in left):
        return [
            warning(
                KEY, "新しい鍵を、まだ使い始めていません", "もう一度 `kairanban key add` を実行してください"
            )
        ]
    return [
        warning(
            KEY,
            f"{key.number}番の鍵を、まだ退かせていません。そのあいだ、登録者の表は取り込めません",
            f"`kairanban key retire {key.number}`(配信は止まりません)",
        )
        for key in left
        if newest is not None and key.number != newest.number
    ]


def _clock(database: Database) -> Finding:
    ahead = round(database.clock.own_is_ahead / SECOND)
    if not database.clock.own_is_far_off:
        return good(CLOCK, "データベースの時計と合っています")
    return problem(
        CLOCK,
        f"データベースの時計より{ahead}秒ずれています",
        "時計合わせ(NTP: chrony、systemd-timesyncd)を動かしてください",
    )


def examine_machine(settings: Settings) -> list[Finding]:
    found = []
    file = sqlite_file(settings.database_url.get_secret_value())
    if file is not None and file.parent.exists():
        found.append(_disk(file.parent))
    few = shortage()
    found.append(
        problem("開けるファイルの数", few, "systemd の LimitNOFILE= か ulimit -n を上げてください")
        if few
        else good("開けるファイルの数", "足りています")
    )
    try:
        find_font()
    except NoPicture as error:
        found.append(warning("書体", str(error), "apt-get install fonts-noto-cjk"))
    return found


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    free = f"空き {usage.free / 2**30:.1f} GB"
    if usage.free < usage.total * FREE_SHARE and usage.free < FREE_BYTES:
        return problem(
            DISK, f"{folder}: {free}。まもなくいっぱいです", "古い控えや記録を移し、空きを作ってください"
        )
    return good(DISK, f"{folder}: {free}")
