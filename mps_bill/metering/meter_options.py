"""The options for reading usage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mps_bill.core.diagnostics import Problem
from mps_bill.metering import EngineName
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.workspace import Resources

if TYPE_CHECKING:
    from mps_bill.metering.groups import Metered

#: Called from time to time with a description of the current work and the completed part of it (0 to 1).
Progress = Callable[[str, float], None]
#: Called with every rejected row as it was read, and with all its problems.
Reject = Callable[[UsageSource, Row, Sequence[Problem]], None]


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """The options for reading usage. `tags` split the groups; `assumed_offset` (seconds east of UTC) is for times without one.

    One bad row rejects the run, unless `bill_good_rows` is set. `reject` gets every rejected row, `done` the result after
    reading, and `notify` messages about how the usage was read. `trust_unique` skips the check for repeated records. `cuts` are
    times in seconds, sorted, at which cycles are cut into segments, so that the usage covered by resource plans is known.
    `accounts` says whether the usage must be that of many accounts (with a column `account_id`) or of one; None accepts both.
    """

    tags: tuple[str, ...] = ()
    assumed_offset: int | None = None
    cuts: tuple[int, ...] = ()
    ignore_extra_columns: bool = False
    max_errors: int = 20
    engine: EngineName = "auto"
    trust_unique: bool = False
    bill_good_rows: bool = False
    reject: Reject | None = None
    progress: Progress | None = None
    done: Callable[[Metered], None] | None = None
    notify: Callable[[str], None] | None = None
    resources: Resources = field(default_factory=Resources)
    accounts: bool | None = False
