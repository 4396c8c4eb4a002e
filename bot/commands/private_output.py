"""What names people is for whoever asked for it, also in a file that the shell opened."""

from __future__ import annotations

import os
import stat
import sys

from bot.commands.common import USAGE, fail


def close_output_to_others() -> None:
    """Before what names people is printed: the shell opened the file of `> FILE`, with its own idea of who may read it."""
    try:
        descriptor = sys.stdout.fileno()
    except OSError:
        # No file at all, as when another program reads it in memory.
        return
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) and mode & 0o077:
        try:
            os.fchmod(descriptor, 0o600)
        except PermissionError:
            fail(
                "書き出し先のファイルを他の利用者が読めます。自分だけが読めるファイルに書き出してください。",
                USAGE,
            )
