"""The message models of line-bot-sdk, without the rest of it."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from threading import Lock
from types import ModuleType
from typing import Any

MODELS = "linebot.v3.messaging.models"
# Their `__init__` imports clients of two generations, which this service has no use for.
AROUND = ("linebot", "linebot.v3", "linebot.v3.messaging")

_one_at_a_time = Lock()


def load_models() -> Any:
    """The module of the models.

    Importing it takes a quarter of a second and 20 MB; with the clients around it would be a second and 60 MB.
    So only a process that renders for LINE pays, and a server does it before the first notice. Who wants
    the clients as well, as tests do, imports them first.
    """
    with _one_at_a_time:
        return _loaded()


@cache
def _loaded() -> ModuleType:
    if AROUND[-1] in sys.modules:
        return import_module(MODELS)
    empty = _empty_packages()
    sys.modules.update(empty)
    try:
        return import_module(MODELS)
    finally:
        for name in empty:
            del sys.modules[name]


def _empty_packages() -> dict[str, ModuleType]:
    """What stands around the models, by name, as far as they need it: a place where they are found."""
    made: dict[str, ModuleType] = {}
    folders: list[str] | None = None
    for name in AROUND:
        found = PathFinder.find_spec(name, folders)
        if found is None or found.submodule_search_locations is None:
            raise ModuleNotFoundError(f"line-bot-sdk is not installed: there is no package {name}", name=name)
        folders = list(found.submodule_search_locations)
        made[name] = ModuleType(name)
        made[name].__path__ = folders
    return {name: module for name, module in made.items() if name not in sys.modules}
