"""Usage for properties: rows dense around the edges of what is allowed, the ways in which a file goes wrong, and what an
engine makes of it in a form that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from hypothesis import strategies as st

from mps_bill.core.diagnostics import Problem
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from tests.kit import COLUMNS, GOOD, HEADER, metered

#: item -> (specs it may be given, units it takes)
_TIMES = ("second", "minute", "hour", "day")
ITEMS = {
    "transcoding": (("", "H264.HD", "H264.LD", "H265.HD"), _TIMES),
    "audio": (("", "Audio"), _TIMES),
    "packaging": (("",), _TIMES),
    "clips": (("",), _TIMES),
    "captions": (("",), _TIMES),
    "review": (("porn", "terrorism"), _TIMES),
    "dna": (("", "DNA"), _TIMES),
    "sharpening": (("", "Sharp.HD", "Sharp.8K"), ("frame",)),
    "storage": (("",), ("GB-hour", "GB-month")),
    "traffic": (("",), ("MB", "GB", "TB")),
}
SIDES = {
    "H264.LD": (640, 480),
    "H264.HD": (1920, 1080),
    "H265.HD": (1080, 1920),
    "Sharp.HD": (1, 1080),
    "Sharp.8K": (1921, 4320),
}
_SIZES = st.sampled_from(
    [
        (640, 480),
        (480, 640),
        (641, 1),
        (1280, 720),
        (720, 1281),
        (1920, 823),
        (1920, 1080),
        (1920, 1098),
        (3840, 2160),
        (1, 1),
    ]
)
OFFSETS = (
    "Z",
    "+08:00",
    "+0800",
    "+08",
    "-00:00",
    "+00:00",
    "+05:30",
    "-0330",
    "+14:00",
    "+14:59",
    "-14:59",
    "-08",
    "+01:00",
)

quantities = st.one_of(
    st.sampled_from(
        ["0", "0.000001", "0.000000", "0.5", "0.59", "0.6", "0.599999", "0.9", "1.2", "1.5", "10", "10.005", "59.999999", "60",
         "999999", "999999.999999", "1000000", "922337203685.477580", "999999999999", "999999999999.999999"]
    ),
    st.tuples(st.integers(0, 10**12 - 1), st.text("0123456789", max_size=6)).map(
        lambda parts: f"{parts[0]}.{parts[1]}" if parts[1] else str(parts[0])
    ),
    st.tuples(st.integers(0, 200), st.text("0459", min_size=1, max_size=6)).map(lambda parts: f"{parts[0]}.{parts[1]}"),
)  # fmt: skip


@st.composite
def instants(draw: st.DrawFn) -> str:
    day = draw(st.sampled_from(["2023-11-10", "2023-11-30", "2023-12-01", "2024-02-29", "2024-12-31", "2999-12-30"]))
    clock = draw(st.sampled_from(["00:00", "07:59", "08:00", "11:29", "11:30", "15:59", "16:00", "23:59"]))
    seconds = draw(
        st.sampled_from(["", ":00", ":59", ":59.9", ":59.999999", ":59.999999999", ":00.000000001", ":30.5"])
    )
    return f"{day}{draw(st.sampled_from('T '))}{clock}{seconds}{draw(st.sampled_from(OFFSETS))}"


_NAMES = st.one_of(
    st.sampled_from(
        ["j", "J", "j ", " j", "j-1", "job 1", "項目", "é", "e\u0301", "ß", "ss", "%", "'", "\\", "--", "NULL", "0"]
    ),
    st.integers(0, 30).map(str),
)
_TAGS = st.sampled_from(["", "", "news", "News", " news", "新闻", "a'b", "=1+1", "\u00a0", "\u200b", "😀"])


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, ...]:
    """The cells of a row that is allowed, in the order of `COLUMNS`."""
    item = draw(st.sampled_from(sorted(ITEMS)))
    specs, units = ITEMS[item]
    spec = draw(st.sampled_from(specs))
    codec, sides = "", ("", "")
    if item in ("transcoding", "sharpening"):
        size = SIDES[spec] if spec else draw(_SIZES)
        if not spec or draw(st.booleans()):
            sides = (str(size[0]), str(size[1]))
            if item == "transcoding":
                codec = spec.partition(".")[0] or "H264"
    elif draw(st.booleans()):
        codec, sides = draw(st.sampled_from(["", "AAC", "é"])), ("99999", "1")
    values = {
        "job_id": draw(_NAMES),
        "output": draw(st.sampled_from(["", "", "1", "rung-1"])),
        "completed_at": draw(instants()),
        "region": draw(st.sampled_from(["cn-shanghai", "cn-beijing"])),
        "item": item,
        "spec": spec,
        "codec": codec,
        "width": sides[0],
        "height": sides[1],
        "quantity": draw(quantities),
        "unit": draw(st.sampled_from(units)),
        "status": draw(st.sampled_from(["", "", "", "success", "TranscodeSuccess", "FAILED", "TranscodeCancelled"])),
        "tag_project": draw(_TAGS),
    }
    return tuple(values[name] for name in COLUMNS)


@st.composite
def lines(draw: st.DrawFn, cells: tuple[str, ...]) -> str:
    """One spelling of a row: cells quoted or not, perhaps empty cells behind the last."""
    quotes = draw(st.sampled_from(["none", "none", "all", "some", "spaced"]))
    written = []
    for number, cell in enumerate(cells):
        quoted = "," in cell or quotes in ("all", "spaced") or (quotes == "some" and number % 3 == 0)
        padding = " " if quotes == "spaced" and number % 5 == 0 else ""
        written.append(f'{padding}"{cell}"{padding}' if quoted else cell)
    return ",".join(written) + draw(st.sampled_from(["", "", "", "", ",", ",,"]))


@st.composite
def records(draw: st.DrawFn, max_rows: int = 30) -> list[tuple[str, ...]]:
    """Rows without a contradiction, repeats among them."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for cells in draw(st.lists(rows(), min_size=1, max_size=max_rows)):
        found.setdefault((cells[0], cells[4], cells[1]), cells)
    repeats = draw(st.lists(st.sampled_from(sorted(found.values())), max_size=5))
    return draw(st.permutations([*found.values(), *repeats]))


@st.composite
def clean_files(draw: st.DrawFn, max_rows: int = 30) -> list[str]:
    """The lines of a file that is allowed; the header is not among them."""
    return [draw(lines(cells)) for cells in draw(records(max_rows))]


@dataclass(frozen=True)
class Ending:
    """How a file writes the end of a line, its first bytes, and whether its last line ends."""

    line: str
    first: str
    last: bool


endings = st.builds(Ending, st.sampled_from(["\n", "\n", "\r\n", "\r"]), st.sampled_from(["", "\ufeff"]), st.booleans())


def file_of(written: list[str], ending: Ending, header: str = HEADER) -> bytes:
    text = ending.line.join([header, *written]) + (ending.line if ending.last else "")
    return (ending.first + text).encode()


#: Values that are wrong in their column, or everywhere; also empty values and values that are right in some column.
BAD_CELLS = [
    *("", " ", "x", "NULL", "\\N", "H264", "h264", "H264.SD", "Sharp.8K", "porn", "transcoding", "failed", "success"),
    *("cn-shanghai", "cn-shanghai ", "us-west-1", "mainland", "frame", "minute", "Minute", "GB"),
    *(
        "0",
        "01",
        " 1",
        "1 ",
        "-1",
        "+1",
        "1e3",
        "NaN",
        "1_000",
        '"1,000"',
        ".5",
        "5.",
        "１２",
        "1920.5",
        "999999",
        "1000000",
    ),
    *("0.1234567", "1234567890123", "now", "infinity", "2023-11-10", "2023-11-10T11:20:00", "2023-11-10T11:20:00z"),
    *("2023-02-30T11:20:00Z", "2023-11-10T24:00:00Z", "2023-11-10T11:20:00+15:00", "2023-10-31T23:59:59+08:00"),
    *("1969-12-31T23:59:59Z", "1970-01-01T00:00:00+14:00", "3000-01-01T00:00:00Z", "'; DROP TABLE x; --"),
    *(
        '"',
        '""',
        '"a""b"',
        'a"b',
        '"a"b',
        "a,b",
        "\t",
        "\r",
        "\n",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
    ),
]


@st.composite
def dirty_files(draw: st.DrawFn) -> bytes:
    """A clean file with cells, or bytes, changed afterwards."""
    written = draw(clean_files(max_rows=12))
    for _ in range(draw(st.integers(0, 3))):
        number = draw(st.integers(0, len(written) - 1))
        cells = written[number].split(",")
        cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(BAD_CELLS))
        written[number] = ",".join(cells)
    content = file_of(written, draw(endings))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(len(HEADER), len(content)))
        piece = draw(
            st.sampled_from(
                [
                    b"",
                    b'"',
                    b",",
                    b"\n",
                    b"\r",
                    b" ",
                    b"\x00",
                    b"\xff",
                    b"\xc3",
                    b"0",
                    b"9",
                    b"\n\n",
                    b'""',
                    b"'",
                    b"\\",
                ]
            )
        )
        content = content[:at] + piece + content[at + draw(st.integers(0, 2)) :]
    return content


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
def contradicting_lines(draw: st.DrawFn, *, dirty: bool) -> str:
    """One line: a good row, one with a bad value, or one in another form."""
    values = {name: draw(st.sampled_from(choices)) for name, choices in _GOOD.items()}
    values["job_id"] = draw(_JOBS if dirty else st.sampled_from([f"j-{number}" for number in range(40)]))
    if dirty and draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(sorted(_BAD)))
        values[name] = draw(st.sampled_from(_BAD[name]))
    cells = {**GOOD, **values}
    fields = [cells.get(name, "") for name in COLUMNS]
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
    rows = draw(st.lists(contradicting_lines(dirty=dirty), max_size=25))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    start = draw(st.sampled_from(["", "\ufeff"]))
    text = start + end.join([HEADER, *rows]) + draw(st.sampled_from(["", end]))
    return text.encode("utf-8", "surrogateescape")


def outcome(sources: Sequence[UsageSource], options: MeterOptions) -> dict[str, Any]:
    """All that a reader makes of the sources: totals by priced key, control totals, problems, rejected rows."""
    rejected: list[tuple[str, int, bytes, tuple[str, ...]]] = []

    def reject(source: UsageSource, row: Row, problems: Sequence[Problem]) -> None:
        rejected.append((source.name, row.line, b"".join((row.raw, *row.rest)), tuple(map(str, problems))))

    options = replace(options, bill_good_rows=True, reject=reject, max_errors=5)
    found = metered(sources, options=options)
    return {
        "totals": _totals(found),
        "unbilled": (found.rows_not_billable, found.rows_duplicate),
        "accounts": [
            (account, _totals(one), one.rows_not_billable, one.rows_duplicate)
            for account, one in found.by_account or ()
        ],
        "rows": (found.rows_read, found.rows_rejected),
        "problems": found.problems,
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
