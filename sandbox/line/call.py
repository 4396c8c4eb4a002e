"""One API request on its way through the pipeline, and the table entry it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from multidict import CIMultiDictProxy, MultiMapping

from sandbox.line.errors import Json, Reply
from sandbox.line.limits import DEFAULT, Rate
from sandbox.line.schema import Checker
from sandbox.line.state import Channel, LineSandbox
from sandbox.line.tokens import Token


@dataclass(slots=True)
class Call:
    """A request. `channel` and `token` are known after authentication, `body` after parsing.

    `body` is the parsed JSON object or form; `raw` the bytes. `body_hash` compares bodies under one
    retry key.
    """

    sandbox: LineSandbox
    request_id: str
    method: str
    path: str
    query: MultiMapping[str]
    headers: CIMultiDictProxy[str]
    params: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    body: Json = field(default_factory=dict)
    owner: Channel | None = None
    token: Token | None = None
    retry_key: str | None = None

    @property
    def channel(self) -> Channel:
        """The channel of the bearer token."""
        assert self.owner is not None, "this route needs authentication"
        return self.owner

    @property
    def now_ms(self) -> int:
        """The sandbox's time."""
        return self.sandbox.clock.now_ms()

    @property
    def body_hash(self) -> int:
        """Equal for equal bodies."""
        return hash(self.raw)


Handler = Callable[[Call], "Reply | Awaitable[Reply]"]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `reads` is how its body is read: "", "json", "optional", "form" or "raw".

    `label` names the sending method in the statistics, "" for everything that sends nothing.
    """

    method: str
    template: str
    handler: Handler
    rate: Rate = DEFAULT
    reads: str = ""
    schema: Checker | None = None
    takes_retry_key: bool = False
    public: bool = False
    label: str = ""

    @property
    def key(self) -> str:
        """The name under which its rate is limited."""
        return f"{self.method} {self.template}"


class RouteTable:
    """Finds the endpoint of a path: fixed paths by one look-up, the others by their parts."""

    def __init__(self, routes: list[Route]) -> None:
        self._fixed: dict[tuple[str, str], Route] = {}
        self._open: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.template.split("/")
            if "{" in route.template:
                self._open.setdefault((route.method, len(parts)), []).append((parts, route))
            else:
                self._fixed[(route.method, route.template)] = route

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The endpoint and the values of its path parameters."""
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, {}
        parts = path.split("/")
        for template, route in self._open.get((method, len(parts)), ()):
            params = _fill(template, parts)
            if params is not None:
                return route, params
        return None


def _fill(template: list[str], parts: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for expected, actual in zip(template, parts, strict=True):
        if expected.startswith("{") and actual:
            params[expected[1:-1]] = actual
        elif expected != actual:
            return None
    return params
