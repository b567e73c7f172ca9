"""Defaults of options: the config file `mps-bill.yaml`, and environment variables, which win over it. Every command starts with
this, so it is kept small."""

from __future__ import annotations

import os
from collections.abc import Mapping
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


def load_settings(path: Path | None, environment: Mapping[str, str]) -> dict[str, Setting]:
    """What a config file and the environment say, by key. Paths in the file are relative to the file.

    Raises:
        InputRejected: the file cannot be read; with every problem that it has.
    """
    settings = {}
    if path:
        from mps_bill.config.file import read_file

        settings = read_file(path)
    for key in KEYS:
        variable = VARIABLES[key]
        # An empty variable says that there is no value, also where the file has one.
        if variable in environment:
            text = environment[variable]
            values = text.split(os.pathsep) if key in LISTS else [text]
            settings[key] = Setting(tuple(filter(None, values)), variable)
    return settings
