"""The standard streams of the process: text is UTF-8 in files and pipes, and a closed stream acts like /dev/null."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from mps_bill.cli.exit_codes import REJECTED


def prepare() -> None:
    """Open standard streams that are closed, and make all three use UTF-8 whatever the locale."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # This takes the lowest free number, so that no other file can get the number of a standard stream.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (it is the process's)
    sys.stdout = _prepared(sys.stdout, 1)
    sys.stderr = _prepared(sys.stderr, 2)


def _prepared(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:
        return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    if isinstance(stream, io.TextIOWrapper):
        # A terminal has one encoding. Characters that it lacks are escaped, and are never an error.
        encoding = stream.encoding if stream.isatty() else "utf-8"
        stream.reconfigure(encoding=encoding, errors="backslashreplace")
    return stream


def end(code: int) -> int:
    """Flush the streams, which Python would otherwise do with its own error message, and return the exit code."""
    from mps_bill.cli.output import drop, say

    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        say(f"mps-bill: standard output cannot be written: {error.strerror}")
        code = code or REJECTED
    try:
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)
    return code
