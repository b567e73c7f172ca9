"""Reading the fields of a row as a usage record: the header, and the form of every value.

Whether a word such as an item or a region has a price is not checked here, but by `assign`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from mps_bill.core.decimals import parse_plain_decimal, scaled, stripped
from mps_bill.core.diagnostics import Kind, expected, near_miss, one_of, quoted
from mps_bill.core.laws import BrokenLaw
from mps_bill.core.times import LOCAL_TIME, iso, parse_instant
from mps_bill.core.units import MICROS, QUANTITY_PLACES
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import wrong_width
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.usage_columns import (
    ACCOUNT_COLUMN,
    COLUMNS,
    REQUIRED_COLUMNS,
    TAG_FORM,
    TAG_PREFIX,
    WORDS,
    UsageKey,
    is_tag,
)

#: The statuses of records that are billed and of those that are not; ASCII case is ignored. The longer ones are MPS job states.
BILLED_STATUSES = ("success", "transcodesuccess")
FREE_STATUSES = ("failed", "transcodefail", "transcodecancelled")
STATUSES_SHOWN = ("success", "failed", "TranscodeSuccess", "TranscodeFail", "TranscodeCancelled")

#: A side in pixels: a whole number from 1 to 999,999.
SIDE = r"[1-9][0-9]{0,5}"
_SIDE = re.compile(SIDE)
_LOCAL = re.compile(LOCAL_TIME)
#: Times as spreadsheets show or store them: 2023/11/1 0:08:29, 11/1/23 0:08, 45231.0059.
_SHEET_TIME = re.compile(
    r"[0-9]{1,4}([/.-])[0-9]{1,2}\1[0-9]{1,4}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[AP]M)?)?|[0-9]{5}(\.[0-9]+)?",
    re.IGNORECASE,
)
#: A plain decimal with at most 12 digits before the point and 6 after it.
QUANTITY = r"(0|[1-9][0-9]{0,11})(\.([0-9]{1,6}))?"
_QUANTITY = re.compile(QUANTITY)


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """A problem with the value in `column` of a row."""

    column: str
    kind: Kind
    message: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file, and the position of each known column in its rows. The other columns are ignored."""

    names: tuple[str, ...]
    index: dict[str, int]

    @property
    def ignored_numbers(self) -> frozenset[int]:
        """The positions of the ignored columns."""
        known = set(self.index.values())
        return frozenset(number for number in range(len(self.names)) if number not in known)

    @property
    def tags(self) -> tuple[str, ...]:
        """The columns whose texts split groups and are never priced: tags, and the account if the file has it."""
        return tuple(sorted(name for name in self.index if name.startswith(TAG_PREFIX) or name == ACCOUNT_COLUMN))


@dataclass(frozen=True, slots=True)
class FileForm:
    """What files that are read alike have in common: the positions of their columns, the tag columns of the run, and the offset
    (seconds east of UTC) for times without one."""

    layout: Layout
    tags: Sequence[str]
    assumed_offset: int | None


def is_usage_column(name: str) -> bool:
    """Whether a column with this name is part of usage."""
    return name in COLUMNS or is_tag(name)


def read_header(names: Sequence[str], ignore_extra: bool) -> tuple[Layout, tuple[tuple[int, Kind, str], ...]]:
    """The layout of a header row, and its problems as (field number, kind, message); -1 is the whole header."""
    index: dict[str, int] = {}
    problems: list[tuple[int, Kind, str]] = []
    for number, name in enumerate(names):
        if is_usage_column(name):
            if name in index:
                message = f"duplicate column {quoted(name)}; first as column {index[name] + 1}"
                problems.append((number, kinds.REPEATED_COLUMN, message))
            else:
                index[name] = number
        elif not ignore_extra:
            if name.startswith(TAG_PREFIX):
                message, remedy = f"column {quoted(name)} is not a tag", f", and {TAG_FORM}"
            else:
                message = f"unknown column {quoted(name)}{near_miss(name, COLUMNS, priced=False)}"
                remedy = ", and a column to group by is named tag_..."
            remedy = f"; --ignore-extra-columns ignores it{remedy}"
            problems.append((number, kinds.UNKNOWN_COLUMN, message + remedy))
    missing = [name for name in REQUIRED_COLUMNS if name not in index]
    if missing:
        message = f"the header lacks {one_of([quoted(name) for name in missing]).replace(' or ', ' and ')}"
        problems.append((-1, kinds.MISSING_COLUMN, message))
    return Layout(tuple(names), index), tuple(problems)


@dataclass(frozen=True, slots=True)
class Features:
    """The values of a row that many rows share. `tags` are those that split the run's groups, `labels` all tags of the row.

    `spec` has the spelling of the price sheets, so that rows with other spellings are equal; `written_spec` has the row's own.
    """

    region: str
    item: str
    spec: str
    codec: str
    width: int
    height: int
    unit: str
    failed: bool
    tags: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    account: str = ""
    written_spec: str = field(default="", compare=False)

    def key(self, slot: int) -> UsageKey:
        long, short = max(self.width, self.height), min(self.width, self.height)
        return UsageKey(
            **{name: getattr(self, name) for name in WORDS},
            slot=slot,
            long=long,
            short=short,
            failed=self.failed,
            tags=self.tags,
            account=self.account,
        )


#: Two rows are the same record if these are equal: `job_id`, `item` and `output`.
Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """A well-formed row. `completed_at` is an instant in microseconds, `micros` millionths of the row's own unit."""

    job_id: str
    output: str
    completed_at: int
    micros: int
    features: Features

    @property
    def identity(self) -> Identity:
        return (self.job_id, self.features.item, self.output)

    def differences(self, other: UsageRecord) -> list[str]:
        """The differences from another row of the same record, such as `quantity 10 here, 12 there`."""
        pairs = [
            ("completed_at", _instant_text(self.completed_at), _instant_text(other.completed_at)),
            (
                "quantity",
                stripped(scaled(self.micros, QUANTITY_PLACES)),
                stripped(scaled(other.micros, QUANTITY_PLACES)),
            ),
            ("status", *("failed" if one.features.failed else "success" for one in (self, other))),
        ]
        for name in (*WORDS, "width", "height"):
            pairs.append((name, str(getattr(self.features, name)), str(getattr(other.features, name))))
        pairs.append((ACCOUNT_COLUMN, self.features.account, other.features.account))
        here, there = dict(self.features.labels), dict(other.features.labels)
        pairs += [(name, here.get(name, ""), there.get(name, "")) for name in sorted({*here, *there})]
        return [f"{name} {quoted(mine)} here, {quoted(theirs)} there" for name, mine, theirs in pairs if mine != theirs]

    def slot(self, scheme: MeteringScheme) -> int:
        """The start of the time slot of the completion, in seconds."""
        return scheme.slot(self.completed_at // MICROS)


class RecordReader:
    """Reads the fields of one file's rows as records. Repeated values are parsed only once."""

    def __init__(self, layout: Layout, scheme: MeteringScheme) -> None:
        self._scheme = scheme
        self._index = layout.index
        self._width = len(layout.names)
        shared = (*WORDS, "width", "height", "status")
        #: Columns behind `Features`, in a fixed order, as positions in the row.
        self._shared = [(name, layout.index[name]) for name in (*shared, *layout.tags) if name in layout.index]
        self._features: dict[tuple[str, ...], Features | tuple[ValueProblem, ...]] = {}
        self._instants: dict[str, int] = {}

    def read(self, fields: Sequence[str]) -> UsageRecord | tuple[ValueProblem, ...]:
        """The record, or all problems with the form of its values."""
        if len(fields) != self._width and (wrong := wrong_width(fields, self._width)):
            return (ValueProblem("", *wrong),)
        index = self._index
        problems: list[ValueProblem] = []

        job_id = fields[index["job_id"]]
        if not job_id:
            problems.append(ValueProblem("job_id", kinds.MISSING_VALUE, "job_id is empty"))

        shared = tuple([fields[position] for _, position in self._shared])
        features = self._features.get(shared)
        if features is None:
            features = self._features[shared] = self._read_features(fields)
            if len(self._features) > 100_000:
                self._features.clear()
        if isinstance(features, tuple):
            problems += features

        time = fields[index["completed_at"]]
        completed_at = self._instants.get(time, -1)
        if completed_at < 0:
            try:
                completed_at = parse_instant(time, self._scheme.assumed_offset)
            except ValueError as error:
                problems.append(_bad_time(time, error))
            if len(self._instants) > 100_000:
                self._instants.clear()
            self._instants[time] = completed_at

        quantity = fields[index["quantity"]]
        match = _QUANTITY.fullmatch(quantity)
        micros = 0
        if match:
            whole, _, fraction = match.groups()
            micros = int(whole) * MICROS + (int(fraction.ljust(QUANTITY_PLACES, "0")) if fraction else 0)
        elif quantity or not (isinstance(features, Features) and features.failed):
            problems.append(_bad_quantity(quantity))

        if problems or isinstance(features, tuple):
            return tuple(problems)
        output = fields[index["output"]] if "output" in index else ""
        return UsageRecord(job_id, output, completed_at, micros, features)

    def _read_features(self, fields: Sequence[str]) -> Features | tuple[ValueProblem, ...]:
        given = {name: fields[position] for name, position in self._shared}
        problems: list[ValueProblem] = []

        status = given.get("status", "")
        status = status.lower() if status.isascii() else status
        if status and status not in BILLED_STATUSES + FREE_STATUSES:
            hint = (
                near_miss(status, STATUSES_SHOWN, priced=False) or f"{expected(STATUSES_SHOWN)}, or empty for success"
            )
            message = f"unknown status {quoted(given['status'])}{hint}"
            problems.append(ValueProblem("status", kinds.UNKNOWN_STATUS, message))
        failed = status in FREE_STATUSES

        for name in ("region", "item", "unit"):
            if not given[name] and not (name == "unit" and failed):
                problems.append(ValueProblem(name, kinds.MISSING_VALUE, f"{name} is empty"))
        if given.get(ACCOUNT_COLUMN) == "":
            problems.append(ValueProblem(ACCOUNT_COLUMN, kinds.MISSING_VALUE, f"{ACCOUNT_COLUMN} is empty"))

        sides = {name: given.get(name, "") for name in ("width", "height")}
        for name, other in (("width", "height"), ("height", "width")):
            if sides[name] and not _SIDE.fullmatch(sides[name]):
                message = f"{name} {quoted(sides[name])} is not a whole number of pixels from 1 to 999999"
                problems.append(ValueProblem(name, kinds.BAD_SIZE, message))
            elif not sides[name] and sides[other]:
                problems.append(ValueProblem(name, kinds.BAD_SIZE, f"{name} is empty and {other} is not"))
        if problems:
            return tuple(problems)

        tags = {name: value for name, value in given.items() if name.startswith(TAG_PREFIX)}
        words = {name: given.get(name, "") for name in WORDS}
        written_spec = words["spec"]
        words["spec"] = self._scheme.spellings.get((words["item"], written_spec), written_spec)
        return Features(
            **words,
            width=int(sides["width"] or 0),
            height=int(sides["height"] or 0),
            failed=failed,
            tags=tuple(tags.get(name, "") for name in self._scheme.tags),
            labels=tuple(sorted((name, value) for name, value in tags.items() if value)),
            account=given.get(ACCOUNT_COLUMN, ""),
            written_spec=written_spec,
        )


def _instant_text(instant: int) -> str:
    """An instant in UTC, with its fraction of a second if it has one."""
    second, fraction = divmod(instant, MICROS)
    time, plus, offset = iso(second, 0).partition("+")
    digits = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"{time}{digits}{plus}{offset}"


def _missing_or(column: str, text: str, kind: Kind, error: ValueError) -> ValueProblem:
    if not text:
        return ValueProblem(column, kinds.MISSING_VALUE, f"{column} is empty")
    return ValueProblem(column, kind, f"{column} {error}")


def _bad_time(text: str, error: ValueError) -> ValueProblem:
    """The problem of a time. If all times of a file have the same form, they all get the same message."""
    if _LOCAL.fullmatch(text) and "offset" in str(error):
        error = ValueError(
            "has no offset from UTC; add one, as in 2023-11-10T11:20:00+08:00, or give --timezone for times"
            " without an offset"
        )
    elif _SHEET_TIME.fullmatch(text):
        error = ValueError(
            "is not an ISO 8601 date and time, but one as spreadsheets show it; format the column as"
            " yyyy-mm-dd hh:mm:ss, save the file again, and give --timezone for the offset of its times"
        )
    return _missing_or("completed_at", text, kinds.BAD_TIME, error)


def _bad_quantity(text: str) -> ValueProblem:
    try:
        parse_plain_decimal(text, places=QUANTITY_PLACES)
    except ValueError as error:
        return _missing_or("quantity", text, kinds.BAD_QUANTITY, error)
    raise BrokenLaw(f"the two forms of a quantity disagree on {text!r}")
