"""Defaults of options: the config file `mps-bill.yaml`, and environment variables, which win over it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mps_bill.config.settings import KEYS, LISTS, VARIABLES, Setting


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
