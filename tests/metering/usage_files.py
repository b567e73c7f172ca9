"""Generated usage files, clean and dirty, and what an engine makes of them in a form that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from hypothesis import strategies as st

from mps_bill.core.diagnostics import Problem, ProblemReport
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from tests import kit

#: Few jobs, so that records repeat and contradict one another.
_JOBS = st.sampled_from(["j-1", "j-2", "j-3", "j-4", "j-5", "j-6", "j,7", "j-ü"])
_GOOD = {
    "completed_at": ["2023-11-10T11:20:00+08:00", "2023-11-10 03:20:00Z", "2023-11-10T11:59:59.999999999+0800",
                     "2023-11-10T08:50:00+05:30", "2023-11-10T12:00+08"],
    "region": ["cn-shanghai", "cn-beijing"],
    "quantity": ["10", "0", "0.016666", "1.5", "999999999999.999999", "61.2"],
    "unit": ["minute", "second", "hour"],
    "status": ["", "success", "TranscodeFail", "FAILED"],
    "output": ["", "rung-1"],
    "tag_project": ["", "news", "新闻"],
}  # fmt: skip
_BAD = {
    "job_id": ["", "j\x01"],
    "completed_at": ["", "2023-11-10T11:20:00", "2023-02-30T11:20:00+08:00", "1969-12-31T23:00:00Z", "today"],
    "region": ["", "cn-atlantis", "us-west-1"],
    "item": ["", "transcodin", "sharpening"],
    "codec": ["", "H264 ", "AV1", "h264"],
    "width": ["0", "01920", "", "99999", "1e3"],
    "quantity": ["", "1e2", " 6", "+9", "1_000", "1.2345678", "1234567890123", "٣", "-0"],
    "unit": ["", "Minute", "GB", "furlong"],
    "status": ["done"],
}


@st.composite
def lines(draw: st.DrawFn, *, dirty: bool) -> str:
    """One line: a good row, one with a bad value, or one in another form."""
    values = {name: draw(st.sampled_from(choices)) for name, choices in _GOOD.items()}
    values["job_id"] = draw(_JOBS if dirty else st.sampled_from([f"j-{number}" for number in range(40)]))
    if dirty and draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(sorted(_BAD)))
        values[name] = draw(st.sampled_from(_BAD[name]))
    cells = {**kit.GOOD, **values}
    fields = [cells.get(name, "") for name in kit.COLUMNS]
    quoting = draw(st.sampled_from(["bare", "bare", "all"]))
    line = ",".join(f'"{field}"' if quoting == "all" or "," in field else field for field in fields)
    if not dirty:
        return line
    form = draw(st.integers(0, 30))
    forms = {
        0: line.rpartition(",")[0],
        1: line + ",",
        2: line + ",more",
        3: line.replace("1", '1"', 1),
        4: line.replace("cn-", "cn-\udcff", 1),
        5: "",
        6: "\ufeff" + line,
        7: line.replace(",", ",\x1f", 1),
        8: " " + line,
    }
    return forms.get(form, line)


@st.composite
def files(draw: st.DrawFn, *, dirty: bool) -> bytes:
    """The bytes of a usage file."""
    rows = draw(st.lists(lines(dirty=dirty), max_size=25))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    start = draw(st.sampled_from(["", "\ufeff"]))
    text = start + end.join([kit.HEADER, *rows]) + draw(st.sampled_from(["", end]))
    return text.encode("utf-8", "surrogateescape")


def outcome(sources: Sequence[UsageSource], options: MeterOptions) -> dict[str, Any]:
    """All that a reader makes of the sources: totals by priced key, control totals, problems, rejected rows."""
    rejected: list[tuple[str, int, bytes, tuple[str, ...]]] = []

    def reject(source: UsageSource, row: Row, problems: Sequence[Problem]) -> None:
        rejected.append((source.name, row.line, b"".join((row.raw, *row.rest)), tuple(map(str, problems))))

    options = replace(options, bill_good_rows=True, reject=reject, max_errors=5)
    metered = kit.metered(sources, options=options)
    return {
        "totals": _totals(metered),
        "unbilled": (metered.rows_not_billable, metered.rows_duplicate),
        "accounts": [
            (account, _totals(one), one.rows_not_billable, one.rows_duplicate)
            for account, one in metered.by_account or ()
        ],
        "rows": (metered.rows_read, metered.rows_rejected),
        "problems": metered.problems,
        "rejected": rejected,
    }


def _totals(metered: Metered) -> dict[tuple[Any, ...], list[int]]:
    """The records and micros that are billed, by key."""
    totals: dict[tuple[Any, ...], list[int]] = {}
    for group in metered.groups:
        assert group.records > 0
        key = group.key
        # An engine gives a side as the edge of the bucket at or above it.
        head = (key.slot, key.item, key.region, key.spec, key.codec, key.unit, key.tags)
        numbers = totals.setdefault(head, [0, 0])
        numbers[0] += group.records
        numbers[1] += group.micros
    return totals


def with_accounts(content: bytes, *, dirty: bool) -> bytes:
    """The file with a column `account_id` behind the others, which is wrong in some rows of a dirty one."""
    accounts = [b"studio-b", b"studio-a", "云".encode(), *([b"", b"x\x01", b'"q"', b"s\xff"] if dirty else [])]
    header, *rows = content.split(b"\n")
    lines = [header.rstrip(b"\r") + b",account_id"]
    lines += [row.rstrip(b"\r") + b"," + accounts[crc32(row) % len(accounts)] for row in rows if row or dirty]
    return b"".join(line + b"\n" for line in lines)


def counts(report: ProblemReport) -> dict[str, int]:
    return {str(kind): number for kind, number in sorted(report.counts.items())}
