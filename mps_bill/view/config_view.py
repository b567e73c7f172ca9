"""The defaults of options and their origins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.core.language import tr
from mps_bill.view.columns import Column, columns_of
from mps_bill.view.tables import Block, Note, Records, table

FORMAT = "mps-bill/config/1"
SETTING = (*columns_of("key", "value"), Column("from", sense="source"))


@dataclass(frozen=True, slots=True)
class ConfigView:
    """Key, value and origin of every setting."""

    rows: Sequence[tuple[str, str, str]]

    def _settings(self) -> list[dict[str, str]]:
        return [{"key": key, "value": value, "from": origin} for key, value, origin in self.rows]

    def printed(self) -> Iterator[Block]:
        yield table("", SETTING, self._settings())
        yield Note(
            tr("The command line takes precedence over the environment, and the environment over the config file.")
        )

    def records(self) -> Records:
        return Records(SETTING, self._settings())

    def document(self) -> dict[str, Any]:
        return {"format": FORMAT, "settings": self._settings()}
