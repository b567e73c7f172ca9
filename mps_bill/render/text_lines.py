"""Lines of text, one for each finding or result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO


def write(lines: Iterable[str], stream: IO[str]) -> None:
    stream.writelines(f"{line}\n" for line in lines)
