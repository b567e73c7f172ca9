"""Defaults of options: the config file `mps-bill.yaml`, and environment variables, which take precedence over it. Every command
imports this module, so it is kept small."""

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
#: The keys with several values. In an environment variable, the values are separated like the folders in PATH.
LISTS = ("prices", "set", "by")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a key, as its option accepts it, and its origin: the name of a variable, or a place in the file."""

    values: tuple[str, ...]
    origin: str


def find_config(folder: Path) -> Path | None:
    """Return the config file of a folder, or of the nearest folder above it that has one."""
    candidates = (above / FILE_NAME for above in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)


def load_settings(path: Path | None, environment: Mapping[str, str]) -> dict[str, Setting]:
    """Return the settings of a config file and the environment, by key, or raise `InputRejected` with every problem of the file.
    Paths in the file are relative to the file."""
    settings = {}
    if path:
        from mps_bill.config.file import read_file

        settings = read_file(path)
    for key in KEYS:
        variable = VARIABLES[key]
        # An empty variable removes the value of the file.
        if variable in environment:
            text = environment[variable]
            values = text.split(os.pathsep) if key in LISTS else [text]
            settings[key] = Setting(tuple(filter(None, values)), variable)
    return settings
