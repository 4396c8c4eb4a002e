"""Settings: flag > environment (KAIRANBAN_…, nested by __) > kairanban.toml > default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.door.source import read_networks
from bot.liff_settings import LiffSettings
from bot.operating_settings import (
    AlarmSettings,
    AuditSettings,
    MetricsSettings,
    Section,
    WorkerSettings,
    host_and_port,
)

LINE_API = "https://api.line.me"
LINE_DATA_API = "https://api-data.line.me"
SMTP_SCHEMES = ("smtp", "smtps", "smtp+starttls")


class WebSettings(Section):
    listen: str = Field("127.0.0.1:8080", description="Address and port of the web pages.")
    public_url: str = Field(
        "",
        description="How residents and LINE reach the pages: with mail or LINE's own hosts an https:// address.",
    )

    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of reverse proxies, separated by commas: "
        "what they say in X-Forwarded-For is believed.",
    )

    copies: Path | None = Field(
        None,
        description="Folder in which a copy of every current public notice is kept for a web server in front: "
        "it goes on showing them while kairanban is away. Empty: none.",
    )

    console_networks: str = Field(
        "",
        description="Addresses or networks from which the staff pages open, separated by commas: "
        "192.168.10.0/24; empty: from everywhere.",
    )

    @field_validator("trusted_proxies", "console_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        try:
            read_networks(value)
        except ValueError as error:
            raise ValueError("write addresses or networks: 127.0.0.1, 10.0.0.0/8") from error
        return value

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        host_and_port(value)
        return value

    @property
    def host_and_port(self) -> tuple[str, int]:
        return host_and_port(self.listen)


class LineSettings(Section):
    api_base: str = Field(LINE_API, description="Origin of the Messaging API.")
    data_base: str = Field(
        "", description="Origin for images; default: LINE's own, or API_BASE when that is set."
    )
    channel_secret: SecretStr = Field(SecretStr(""), description="Channel secret: checks webhook signatures.")
    channel_token: SecretStr = Field(SecretStr(""), description="Channel access token.")

    @property
    def data_origin(self) -> str:
        return self.data_base or (LINE_DATA_API if self.api_base == LINE_API else self.api_base)

    @property
    def is_sandbox(self) -> bool:
        return self.api_base != LINE_API


class MailDomainSettings(Section):
    rate: float | None = Field(None, gt=0, description="Mails a second at most.")
    connections: int | None = Field(None, gt=0, description="Mails at once at most.")


class MailSettings(Section):
    smtp_url: SecretStr = Field(
        SecretStr(""), description="smtp://, smtps:// or smtp+starttls://user:password@host:port."
    )
    sender: str = Field("", alias="from", description="From: address, with the name residents know.")
    bounce_domain: str = Field(
        "",
        description="Domain of the envelope sender and Message-ID, such as bounce.town.example.jp: each mail leaves from "
        "an address of its own in it, to which bounces come back (INTAKE_LISTEN). Empty: that of FROM, and bounces "
        "come to FROM itself.",
    )
    dkim_selector: str = Field(
        "",
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$",
        description="Selector with which the relay signs (DKIM): `kairanban doctor` looks its key up.",
    )
    join_address: str = Field(
        "", description="Address to which an empty mail asks to register: touroku@town.example.jp."
    )
    intake_listen: str = Field(
        "",
        description="Address and port where the town's mail server hands over mail for JOIN_ADDRESS and BOUNCE_DOMAIN "
        "by LMTP: 127.0.0.1:2424.",
    )
    domains: dict[str, MailDomainSettings] = Field(
        {},
        description='Limits of single mail domains: `[mail.domains."docomo.ne.jp"]` with `rate` (mails a second) '
        "and `connections` (mails at once); as an environment variable in JSON.",
    )

    @field_validator("domains")
    @classmethod
    def _are_domains(cls, value: dict[str, MailDomainSettings]) -> dict[str, MailDomainSettings]:
        wrong = [name for name in value if "@" in name or "." not in name]
        if wrong:
            raise ValueError(f"write the part behind the @, such as docomo.ne.jp, not {wrong[0]}")
        return value

    @field_validator("join_address")
    @classmethod
    def _is_a_mailbox(cls, value: str) -> str:
        if value and ("@" not in value or any(map(str.isspace, value))):
            raise ValueError("write an address: touroku@town.example.jp")
        return value

    @field_validator("bounce_domain")
    @classmethod
    def _is_a_domain(cls, value: str) -> str:
        if value and not re.fullmatch(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", value):
            raise ValueError("write a domain in small letters: bounce.town.example.jp")
        return value

    @field_validator("intake_listen")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and (not host or not port.isdecimal() or int(port) > 65535):
            raise ValueError("write an address and a port: 127.0.0.1:2424")
        return value

    @model_validator(mode="after")
    def _intake_has_an_address(self) -> Self:
        if self.intake_listen and not (self.join_address or self.bounce_domain):
            raise ValueError(
                "intake_listen needs join_address, the address that residents write to, or bounce_domain"
            )
        return self

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if value.get_secret_value() and not (parts.hostname and parts.scheme in SMTP_SCHEMES):
            raise ValueError("write smtp://, smtps:// or smtp+starttls:// and host:port")
        return value


class WebhookSettings(Section):
    allow_private: bool = Field(False, description="Allow webhooks to private and loopback addresses.")


class AccountSettings(Section):
    """What an account that posts needs at its service; which of these, `bot.posting` says."""

    api_base: str = Field("", description="Origin of the service; required for Mastodon.")
    user: str = Field("", description="What the service calls the account.")
    token: SecretStr = Field(SecretStr(""), description="Access token or app password.")
    token_secret: SecretStr = Field(SecretStr(""), description="X: secret of the access token.")
    app_key: SecretStr = Field(SecretStr(""), description="X: consumer key of the app.")
    app_secret: SecretStr = Field(SecretStr(""), description="X: consumer secret of the app.")
    url: SecretStr = Field(SecretStr(""), description="Slack, Discord, Teams: URL of the webhook, a secret.")
    limit: int = Field(500, ge=100, description="Mastodon: characters of a post on this server.")


class Settings(BaseSettings):
    """The whole configuration. Unknown keys are refused, so a misspelt one is found at the start."""

    model_config = SettingsConfigDict(
        env_prefix="KAIRANBAN_",
        env_nested_delimiter="__",
        toml_file="kairanban.toml",
        extra="forbid",
    )

    database_url: SecretStr = Field(
        SecretStr("sqlite:///var/kairanban.db"),
        description="sqlite:///path or postgresql://user:password@host/name.",
    )
    town: Path = Field(description="The town profile (TOML); required, there is no default town.")
    secret_key_file: Path = Field(
        Path("var/secret.key"), description="Root of all derived keys; made by init, mode 0600."
    )
    database_here: bool = Field(
        False,
        description="The PostgreSQL server is on this machine although its address does not say so (containers): "
        "a copy of the machine is then recognised and sends nothing by itself.",
    )
    two_sites: bool = Field(
        False,
        description="Another site may take over (`kairanban takeover`): this one asks LINE every 20 seconds whether it "
        "has, and then sends nothing more. The same on both sites.",
    )
    log_format: Literal["console", "json"] = Field("console", description="How the log is written.")
    keep_recipients_days: int = Field(
        90,
        ge=7,
        le=3650,
        description="Days after which the ledger forgets who was sent a notice; the counts stay for good.",
    )
    web: WebSettings = WebSettings()
    worker: WorkerSettings = WorkerSettings()
    metrics: MetricsSettings = MetricsSettings()
    line: LineSettings = LineSettings()
    liff: LiffSettings = LiffSettings()
    mail: MailSettings = MailSettings()
    webhook: WebhookSettings = WebhookSettings()
    alarms: AlarmSettings = AlarmSettings()
    audit: AuditSettings = AuditSettings()
    accounts: dict[str, AccountSettings] = Field(
        {},
        description="Accounts that post, by their KEY in the town profile; in TOML `[accounts.KEY]`.",
    )

    @property
    def public_url(self) -> str:
        return (self.web.public_url or f"http://{self.web.listen}").rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
