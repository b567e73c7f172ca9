"""The keys, what one is set to, and where the config file is. Kept small, because every command starts with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "mps-bill.yaml"
FILE_VARIABLE = "MPS_BILL_CONFIG"
#: The keys of the file.
KEYS = ("prices", "account", "profile", "set", "format", "timezone", "by", "language")
#: The environment variable of each key is named after the key, or after its option.
VARIABLES = {key: f"MPS_BILL_{key.upper()}" for key in KEYS} | {"language": "MPS_BILL_LANG"}
#: Keys with several values; in an environment variable they are separated as folders are in PATH.
LISTS = ("prices", "set", "by")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a key, as its option takes it, and where it came from: a variable's name, or a place in the file."""

    values: tuple[str, ...]
    origin: str


def find_config(folder: Path) -> Path | None:
    """The config file of a folder, or of the nearest folder above it that has one."""
    candidates = (above / FILE_NAME for above in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)
