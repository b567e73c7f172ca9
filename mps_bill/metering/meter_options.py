"""How a run reads its usage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mps_bill.core.diagnostics import Problem
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.workspace import Resources

if TYPE_CHECKING:
    from mps_bill.metering.groups import Metered

EngineName = Literal["auto", "duckdb", "python", "spark"]

#: Called now and then with what is being done, and how much of that is done (0 to 1).
Progress = Callable[[str, float], None]
#: Called with every rejected row as it was read, and all that is wrong with it.
Reject = Callable[[UsageSource, Row, Sequence[Problem]], None]


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """How to read usage. `tags` split the groups; `assumed_offset` (seconds east of UTC) is that of times without one.

    One bad row rejects the run, unless `bill_good_rows`. `reject` gets every rejected row, `done` the result once all is
    read, and `notify` what a person should know of how it was read. `trust_unique` leaves out the check for repeated
    records. `cuts` are seconds, in order, at which cycles are cut into segments, so that what resource plans cover is known.
    `accounts` says whether the usage must be that of many accounts (with a column `account_id`) or must not be;
    None takes both.
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
