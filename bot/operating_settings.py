"""Settings for whoever runs the service: where it can be watched, and who is told when something is wrong."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator


def host_and_port(value: str) -> tuple[str, int]:
    """Raises ValueError with the remedy."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("write an address and a port: 127.0.0.1:8080")
    return host.strip("[]"), int(port)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _address_or_nothing(value: str) -> str:
    if value:
        host_and_port(value)
    return value


# An address and a port, or "" for nowhere.
Place = Annotated[str, AfterValidator(_address_or_nothing)]


class WorkerSettings(Section):
    listen: Place = Field(
        "",
        description="Address and port at which `kairanban worker` answers /healthz and /readyz, such as "
        "127.0.0.1:8081; empty: nowhere.",
    )


class MetricsSettings(Section):
    listen: Place = Field(
        "",
        description="Address and port at which `serve` and `worker` answer /metrics for Prometheus, such as "
        "127.0.0.1:9464; empty: nowhere. Not for strangers.",
    )


class AlarmSettings(Section):
    mail_to: str = Field(
        "",
        description="Addresses of operators who are told of alarms, separated by commas; through MAIL's own server.",
    )
    webhook_url: SecretStr = Field(
        SecretStr(""), description="URL that is posted alarms as JSON with `text`, `code` and `ended`."
    )

    @field_validator("mail_to")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        return _addresses(value)

    @property
    def mail_addresses(self) -> list[str]:
        return _parts(self.mail_to)


class AuditSettings(Section):
    line_file: str = Field(
        "",
        description="File to which one line a day is appended that proves the audit trail: best on another machine that "
        "is mounted here, where this one may add and not change. Empty: none.",
    )
    line_mail_to: str = Field(
        "",
        description="Addresses that are sent the same line each day, separated by commas; through MAIL's own server.",
    )

    @field_validator("line_mail_to")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        return _addresses(value)

    @property
    def mail_addresses(self) -> list[str]:
        return _parts(self.line_mail_to)


def _addresses(value: str) -> str:
    if any("@" not in part or any(map(str.isspace, part)) for part in _parts(value)):
        raise ValueError("write addresses, separated by commas: ops@example.jp, chief@example.jp")
    return value


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
