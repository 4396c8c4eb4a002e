"""What the world's name servers say of the mail domains: SPF, DKIM, DMARC, and where answers come back to.

Sources: RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC), the rules for senders of Gmail and docomo. Only asked, nothing
is sent.
"""

from __future__ import annotations

from email.utils import parseaddr

import dns.asyncresolver
import dns.exception
import dns.resolver

from bot.doctor.findings import Finding, good, problem, warning
from bot.settings import Settings

DNS = "DNS"
# Seconds for one question, whoever answers it.
PATIENCE = 6.0


class Unanswered(Exception):
    """No name server answered."""


class MailRecords:
    """Asks one resolver; by default that of the machine."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._resolver = resolver or dns.asyncresolver.Resolver()
        self._resolver.lifetime = PATIENCE

    async def texts(self, name: str, begins: str) -> list[str]:
        """TXT records that begin with a word, each in one piece. Raises Unanswered."""
        rows = await self._ask(name, "TXT")
        found = [b"".join(row.strings).decode("utf-8", "replace") for row in rows]
        return [text for text in found if text.lower().replace(" ", "").startswith(begins)]

    async def takes_mail(self, domain: str) -> bool:
        """Whether mail to it can be handed over: an MX or, without one, an address. Raises Unanswered."""
        if mx := await self._ask(domain, "MX"):
            # "." alone says that it takes none (RFC 7505).
            return any(str(row.exchange) != "." for row in mx)
        return bool(await self._ask(domain, "A") or await self._ask(domain, "AAAA"))

    async def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg]
        try:
            return list(await self._resolver.resolve(name, kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise Unanswered(name) from error


async def examine_mail_dns(settings: Settings, records: MailRecords | None = None) -> list[Finding]:
    """One finding for each record that mail needs."""
    mail, records = settings.mail, records or MailRecords()
    sender = parseaddr(mail.sender)[1].rpartition("@")[2].lower()
    if not sender:
        return []
    envelope = mail.bounce_domain or sender
    looks = [
        _spf(records, envelope, needed=True),
        *([_spf(records, sender, needed=False)] if envelope != sender else []),
        _dkim(records, sender, mail.dkim_selector),
        _dmarc(records, sender),
        _answers(records, sender, "差出人"),
    ]
    if mail.bounce_domain:
        looks.append(_answers(records, mail.bounce_domain, "戻り先(BOUNCE_DOMAIN)"))
    joining = mail.join_address.rpartition("@")[2].lower()
    if joining not in ("", sender, mail.bounce_domain):
        looks.append(_answers(records, joining, "申し込み(JOIN_ADDRESS)"))
    found = []
    for look in looks:
        try:
            found.append(await look)
        except Unanswered as error:
            name = str(error)
            found.append(
                warning(
                    DNS, f"{name} を調べられません", "この機器からDNSに問い合わせられるか確かめてください"
                )
            )
    return [*found, *_alignment(sender, envelope), *_intake(settings)]


async def _spf(records: MailRecords, domain: str, *, needed: bool) -> Finding:
    found = await records.texts(domain, "v=spf1")
    remedy = f'{domain} にTXTレコード "v=spf1 ip4:(リレーのIPアドレス) -all" を1つだけ登録してください'
    if not found:
        say = problem if needed else warning
        return say(DNS, f"{domain} にSPFがありません", remedy)
    if len(found) > 1:
        return problem(DNS, f"{domain} にSPFが{len(found)}つあり、どれも無効になります", remedy)
    if "+all" in found[0] or found[0].split()[-1] == "all":
        return problem(DNS, f"{domain} のSPFは、だれが送ってもよいと言っています", remedy)
    return good(DNS, f"{domain} にSPFがあります")


async def _dkim(records: MailRecords, domain: str, selector: str) -> Finding:
    if not selector:
        return warning(
            DNS,
            "DKIMを確かめられません",
            "リレーが署名に使うセレクタを KAIRANBAN_MAIL__DKIM_SELECTOR に書いてください(docs/mail.md)",
        )
    name = f"{selector}._domainkey.{domain}"
    found = [text for text in await records.texts(name, "") if "p=" in text.replace(" ", "")]
    if not found:
        return problem(
            DNS,
            f"{name} にDKIMの鍵がありません",
            "リレーの公開鍵をTXTレコードに登録してください(docs/mail.md)",
        )
    if any(part.strip() == "p=" for part in found[0].split(";")):
        return problem(DNS, f"{name} の鍵は取り消されています", "新しいセレクタと鍵を登録してください")
    return good(DNS, f"{name} にDKIMの鍵があります")


async def _dmarc(records: MailRecords, domain: str) -> Finding:
    labels = domain.split(".")
    # A record of the domain above holds for those below it.
    for start in range(max(1, len(labels) - 1)):
        name = f"_dmarc.{'.'.join(labels[start:])}"
        if found := await records.texts(name, "v=dmarc1"):
            if len(found) > 1:
                return problem(DNS, f"{name} にDMARCが{len(found)}つあり、無効です", "1つだけ残してください")
            return good(DNS, f"{name} にDMARCがあります")
    return problem(
        DNS,
        f"{domain} にDMARCがありません",
        f'_dmarc.{domain} にTXTレコード "v=DMARC1; p=none; rua=mailto:postmaster@{domain}" を登録してください',
    )


async def _answers(records: MailRecords, domain: str, what: str) -> Finding:
    if await records.takes_mail(domain):
        return good(DNS, f"{what}の {domain} はメールを受け取れます")
    return problem(
        DNS,
        f"{what}の {domain} にMXもAもありません",
        f"{domain} のMXレコードに、町のメールサーバーを登録してください(docomoはMXのない差出人を断ります)",
    )


def _alignment(sender: str, envelope: str) -> list[Finding]:
    if envelope == sender or envelope.endswith(f".{sender}") or sender.endswith(f".{envelope}"):
        return []
    return [
        warning(
            DNS,
            f"戻り先 {envelope} と差出人 {sender} のドメインが別です",
            f"SPFだけではDMARCに合格しません。戻り先を {sender} の下(bounce.{sender} など)にしてください",
        )
    ]


def _intake(settings: Settings) -> list[Finding]:
    if not settings.mail.bounce_domain or settings.mail.intake_listen:
        return []
    return [
        warning(
            DNS,
            "戻ってきたメールを受け取る口がありません",
            "KAIRANBAN_MAIL__INTAKE_LISTEN を決め、町のメールサーバーからLMTPで渡してください(docs/mail.md)",
        )
    ]
