"""Both engines refuse everything that is not allowed in usage, with the place and the kind of each problem."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mps_bill.core.diagnostics import Kind
from mps_bill.metering import EngineName
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import usage_sources
from tests.kit import COLUMNS, ENGINES, HEADER, SHEET, book, problems_of, row, shipped, source, usage_of, usage_text
from tests.kit import places as places_of

#: (what is wrong, row, value that is named, code, words of the message)
ROWS = [
    # The form of a row.
    ("short row", "j-1,,2023-11-10T11:20:00+08:00,cn-shanghai", "end", "U108", "has 4 fields, and the header has 13"),
    ("long row", row(tag_project="news,more"), "tag_project+5", "U109", "has 14 fields, and the header has 13"),
    ("escape code", row(tag_project="\x1b[31m"), "tag_project", "U111", "U+001B"),
    ("NUL", row(job_id="j\x00"), "job_id", "U111", "U+0000"),
    ("tab", row(codec="H264\t"), "codec", "U111", "U+0009"),
    ("delete", row(region="cn-shanghai\x7f"), "region", "U111", "U+007F"),
    ("unclosed quote", row(job_id='"j-1'), "job_id", "U112", "never closed"),
    ("text after a quote", row(item='"trans"coding'), "item+7", "U113", "after the closing quote"),
    ("quote inside", row(job_id='j"1'), "job_id", "U113", "contains a quote"),
    ("tab in a quoted value", row(tag_project='"a\tb"'), "tag_project", "U111", "U+0009"),
    # Values that are missing.
    ("no job", row(job_id=""), "job_id", "U201", "job_id is empty"),
    ("no time", row(completed_at=""), "completed_at", "U201", "completed_at is empty"),
    ("no region", row(region=""), "region", "U201", "region is empty"),
    ("no item", row(item=""), "item", "U201", "item is empty"),
    ("no quantity", row(quantity=""), "quantity", "U201", "quantity is empty"),
    ("no unit", row(unit=""), "unit", "U201", "unit is empty"),
    ("no codec", row(codec=""), "codec", "U201", "derives its spec from the codec"),
    ("no size", row(width="", height=""), "width", "U201", "derives its spec from the size"),
    ("no spec", usage_of("review"), "spec", "U201", "needs a spec; expected porn or terrorism"),
    # Times.
    ("no offset", row(completed_at="2023-11-10T11:20:00"), "completed_at", "U202", "has no offset from UTC"),
    ("30 February", row(completed_at="2023-02-30T11:20:00Z"), "completed_at", "U202", "day that does not exist"),
    (
        "29 February of a common year",
        row(completed_at="2023-02-29T11:20:00Z"),
        "completed_at",
        "U202",
        "day that does not exist",
    ),
    ("hour 25", row(completed_at="2023-11-10T25:00:00Z"), "completed_at", "U202", "is not an ISO 8601"),
    ("hour 24", row(completed_at="2023-11-10T24:00:00Z"), "completed_at", "U202", "is not an ISO 8601"),
    ("infinity", row(completed_at="infinity"), "completed_at", "U202", "is not an ISO 8601"),
    ("date alone", row(completed_at="2023-11-10"), "completed_at", "U202", "is not an ISO 8601"),
    ("seconds since 1970", row(completed_at="1699586400"), "completed_at", "U202", "is not an ISO 8601"),
    ("space before a time", row(completed_at=" 2023-11-10T11:20:00Z"), "completed_at", "U202", "is not an ISO 8601"),
    ("comma as a point", row(completed_at='"2023-11-10T11:20:00,5Z"'), "completed_at", "U202", "is not an ISO 8601"),
    ("leap second", row(completed_at="2023-12-31T23:59:60Z"), "completed_at", "U202", "is not an ISO 8601"),
    (
        "name of a zone",
        row(completed_at="2023-11-10T11:20:00 Asia/Shanghai"),
        "completed_at",
        "U202",
        "is not an ISO 8601",
    ),
    ("year 1969", row(completed_at="1969-12-31T23:59:59Z"), "completed_at", "U202", "is not an ISO 8601"),
    ("year 3000", row(completed_at="3000-01-01T00:00:00Z"), "completed_at", "U202", "is not an ISO 8601"),
    ("full-width time", row(completed_at="２023-11-10T11:20:00Z"), "completed_at", "U202", "is not an ISO 8601"),
    # Quantities.
    *(
        (f"quantity {text}", row(quantity=text), "quantity", "U203", message)
        for text, message in (
            ("1_000", "without underscores"),
            ("1e3", "without an exponent"),
            ("1E-3", "not a plain decimal"),
            ("NaN", "not a plain decimal"),
            ("inf", "not a plain decimal"),
            ("-1", "without a minus sign"),
            ("-0", "without a minus sign"),
            ("+1", "without a plus sign"),
            ("0.1234567", "7 decimal places; at most 6"),
            ("1.0000000", "7 decimal places; at most 6"),
            ("1234567890123", "13 digits before the point; at most 12"),
            ("0000000000001", "without leading zeros"),
            ("\uff11\uff12", "ASCII digits only"),
            ("\u0661", "ASCII digits only"),
            ('"1,000"', "without commas"),
            ('"1,5"', "without commas"),
            (" 1", "without spaces around it"),
            ("1 ", "without spaces around it"),
            ("\u00a01", "without spaces around it"),
            (".5", "not a plain decimal"),
            ("5.", "not a plain decimal"),
            ("05", "without leading zeros"),
            ("0x1F", "not a plain decimal"),
            ("ten", "not a plain decimal"),
            ("'; DROP TABLE usage; --", "not a plain decimal"),
        )
    ),
    # Sizes.
    ("width 0", row(width="0"), "width", "U204", "not a whole number of pixels"),
    ("height 0", row(height="0"), "height", "U204", "not a whole number of pixels"),
    ("width 1920.5", row(width="1920.5"), "width", "U204", "not a whole number of pixels"),
    ("width 1920.0", row(width="1920.0"), "width", "U204", "not a whole number of pixels"),
    ("width 01920", row(width="01920"), "width", "U204", "not a whole number of pixels"),
    ("width +1920", row(width="+1920"), "width", "U204", "not a whole number of pixels"),
    ("width -1920", row(width="-1920"), "width", "U204", "not a whole number of pixels"),
    ("width 1_920", row(width="1_920"), "width", "U204", "not a whole number of pixels"),
    ("width 2e3", row(width="2e3"), "width", "U204", "not a whole number of pixels"),
    ("width with a space", row(width=" 1920"), "width", "U204", "not a whole number of pixels"),
    ("width of seven digits", row(width="1000000"), "width", "U204", "not a whole number of pixels"),
    ("width full-width", row(width="\uff11920"), "width", "U204", "not a whole number of pixels"),
    ("width alone", row(height=""), "height", "U204", "height is empty and width is not"),
    ("height alone", row(width=""), "width", "U204", "width is empty and height is not"),
    # Words.
    ("unknown status", row(status="succes"), "status", "U205", 'did you mean "success"?'),
    ("status with a space", row(status="success "), "status", "U205", "unknown status"),
    ("status pending", row(status="pending"), "status", "U205", "or empty for success"),
    ("unknown item", row(item="transcodin"), "item", "U301", 'did you mean "transcoding"?'),
    ("item in capitals", row(item="Transcoding"), "item", "U301", 'did you mean "transcoding"?'),
    ("item with a space", row(item="transcoding "), "item", "U301", 'did you mean "transcoding"?'),
    ("unknown region", row(region="cn-shangai"), "region", "U302", 'did you mean "cn-shanghai"?'),
    ("group as a region", row(region="mainland"), "region", "U302", "unknown region"),
    ("star as a region", row(region="*"), "region", "U302", "unknown region"),
    ("unknown unit", row(unit="minutes"), "unit", "U303", 'did you mean "minute"?'),
    ("unit in capitals", row(unit="Minute"), "unit", "U303", 'did you mean "minute"?'),
    ("unit of another kind", row(unit="frame"), "unit", "U304", "expected one of second, minute, hour or day"),
    ("image is no frame", row(item="sharpening", codec="", unit="image"), "unit", "U304", "expected frame"),
    ("bytes for storage", usage_of("storage", unit="GB"), "unit", "U304", "expected GB-hour or GB-month"),
    ("unknown codec", row(codec="H266"), "codec", "U305", "priced: H264 or H265"),
    ("codec in small letters", row(codec="h264"), "codec", "U305", 'did you mean "H264"?'),
    ("unknown spec", usage_of("review", spec="prn"), "spec", "U306", 'did you mean "porn"?'),
    ("spec of another item", row(spec="porn"), "spec", "U306", "unknown spec"),
    ("codec against spec", row(spec="H265.HD"), "codec", "U307", "does not agree with spec"),
    ("size against spec", row(spec="H264.SD"), "width", "U307", "is HD, which does not agree"),
    ("size above all against spec", row(spec="H264.4K", width="9000"), "width", "U307", "above the largest size"),
    ("above the largest", row(width="3841", height="2160"), "width", "U308", "larger than 4K, the largest size"),
    (
        "above the largest upright",
        row(width="2161", height="3840"),
        "width",
        "U308",
        "larger than 4K, the largest size",
    ),
    (
        "both short sides too long",
        row(width="3840", height="2161"),
        "width",
        "U308",
        "larger than 4K, the largest size",
    ),
    ("codec without that size", row(codec="H265", width="640", height="480"), "width", "U309", "no price for it"),
    ("region without a price", row(region="eu-west-1"), "region", "U309", "priced: mainland or us-west-1"),
    (
        "spec without a price there",
        row(region="us-west-1", height="720", width="1280"),
        "region",
        "U309",
        "priced: mainland",
    ),
    (
        "before the first sheet",
        row(completed_at="2023-10-31T23:59:59+08:00"),
        "completed_at",
        "U310",
        "is in force at 2023-10-31T23",
    ),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("line", "where", "code", "words"), [case[1:] for case in ROWS], ids=[case[0] for case in ROWS]
)
def test_a_bad_row_is_reported_with_its_place(
    line: str, where: str, code: str, words: str, engine: EngineName, tmp_path: Path
) -> None:
    text = usage_text([row(job_id="good"), line, row(job_id="also-good")])
    report = problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine))
    assert places_of(report) == [(f"usage.csv:3:{_column(line, where)}", code)]
    assert words in report.shown[0].message


def _column(line: str, where: str) -> int:
    """The column at which the value `where` starts, from 1; `item+7` is the seventh character after that start."""
    name, _, beyond = where.partition("+")
    if name == "end":
        return len(line) + 1
    return sum(len(cell) + 1 for cell in line.split(",")[: COLUMNS.index(name)]) + 1 + int(beyond or 0)


def test_all_problems_of_a_row_are_reported_at_once(tmp_path: Path) -> None:
    bad = row(job_id="", completed_at="now", quantity="1e3", width="0", region="", status="done")
    report = problems_of([source(tmp_path / "usage.csv", usage_text([bad]))])
    assert [code for _, code in places_of(report)] == ["U201", "U202", "U201", "U204", "U203", "U205"]


def test_all_bad_rows_are_reported_at_once_in_order(tmp_path: Path) -> None:
    text = usage_text([row(quantity="x"), row(unit="x"), row(region="x")])
    assert places_of(problems_of([source(tmp_path / "usage.csv", text)])) == [
        ("usage.csv:2:72", "U203"),
        ("usage.csv:3:75", "U303"),
        ("usage.csv:4:32", "U302"),
    ]


HEADERS = [
    ("missing columns", "job_id,region", [("1:1", "U105")]),
    ("required columns alone", "job_id,completed_at,region,item,quantity,unit", []),
    ("any order", "unit,quantity,item,region,completed_at,job_id", []),
    ("repeated column", HEADER + ",job_id", [("1:97", "U106")]),
    ("repeated tag", HEADER + ",tag_project", [("1:97", "U106")]),
    ("unknown column", HEADER + ",duration", [("1:97", "U107")]),
    ("capitals", HEADER.replace("region", "Region"), [("1:1", "U105"), ("1:28", "U107")]),
    ("space around a name", HEADER.replace("region", " region"), [("1:1", "U105"), ("1:28", "U107")]),
    ("empty name", HEADER + ",", [("1:97", "U107")]),
    ("tag without a name", HEADER + ",tag_", [("1:97", "U107")]),
    ("tag with a space", HEADER + ",tag_my project", [("1:97", "U107")]),
    ("quoted names", '"job_id","completed_at",region,item,quantity,unit', []),
    ("unclosed quote", '"job_id,completed_at', [("1:1", "U112")]),
    ("control character", HEADER + ",tag_\x1b", [("1:97", "U111")]),
    ("semicolons", HEADER.replace(",", ";"), [("1:1", "U102")]),
    ("tabs", HEADER.replace(",", "\t"), [("1:1", "U102")]),
    ("bars", HEADER.replace(",", "|"), [("1:1", "U102")]),
    ("quoted names and semicolons", '"' + HEADER.replace(",", '";"') + '"', [("1:1", "U102")]),
    ("Excel's hint", "sep=,\n" + HEADER, [("1:1", "U102")]),
    ("Excel's hint at another separator", "SEP=;\n" + HEADER.replace(",", ";"), [("1:1", "U102")]),
    ("tag of another script", HEADER + ",tag_项目,tag_Ωμέγα.1-x", []),
    ("tag with marks", HEADER + ",tag_हिन्दी,tag_cafe\u0301,tag_ไทยนี้,tag_שָׁלוֹם", []),
    ("tag of a mark", HEADER + ",tag_\u0301", [("1:97", "U107")]),
    ("tag with what cannot be seen", HEADER + ",tag_a\u200db", [("1:97", "U107")]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("header", "found"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_headers(header: str, found: list[tuple[str, str]], engine: EngineName, tmp_path: Path) -> None:
    report = problems_of([source(tmp_path / "usage.csv", header + "\n")], options=MeterOptions(engine=engine))
    assert places_of(report) == [(f"usage.csv:{place}", code) for place, code in found]


def test_a_misspelt_column_is_reported_with_the_nearest_name(tmp_path: Path) -> None:
    report = problems_of([source(tmp_path / "usage.csv", HEADER.replace("quantity", "quantty") + "\n")])
    assert 'did you mean "quantity"?' in report.shown[1].message


def test_the_message_for_a_wrong_tag_says_what_a_tag_is(tmp_path: Path) -> None:
    report = problems_of([source(tmp_path / "usage.csv", HEADER + ",tag_a b\n")])
    assert [problem.message for problem in report.shown] == [
        'column "tag_a b" is not a tag; --ignore-extra-columns ignores it, and a tag is named tag_ and letters or digits'
        " of any script, _, . or -"
    ]


FORMS = [
    ("usage.csv", HEADER.replace(",", ";").encode(), "U102", 'separated by ";"', "CSV UTF-8"),
    ("usage.csv", HEADER.replace(",", "\t").encode(), "U102", "separated by a TAB", "CSV UTF-8"),
    ("usage.csv", b"sep=,\n" + HEADER.encode(), "U102", "hint for Excel", "delete this line"),
    ("usage.csv", b"sep=;\n" + HEADER.encode(), "U102", "hint for Excel", 'separate the columns by ","'),
    ("usage.csv", HEADER.encode("utf-16"), "U110", "UTF-16", "CSV UTF-8"),
    ("usage.csv", HEADER.encode("utf-16-le"), "U110", "UTF-16", "CSV UTF-8"),
    ("usage.csv", HEADER.encode("utf-16-be"), "U110", "UTF-16", "CSV UTF-8"),
    ("usage.csv.gz", gzip.compress(HEADER.encode("utf-16"), mtime=0), "U110", "UTF-16", "CSV UTF-8"),
    ("usage.csv", b"PK\x03\x04\x14\x00\x06\x00", "U102", "Excel workbook", "CSV UTF-8"),
    ("usage.csv", b"\xd0\xcf\x11\xe0\xa1\xb1", "U102", "Excel workbook", "CSV UTF-8"),
    ("usage.csv", gzip.compress(HEADER.encode(), mtime=0), "U102", "compressed with gzip", ".csv.gz"),
    ("usage.csv", b"PAR1\x15\x04", "U102", "Parquet", ".parquet"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "content", "code", "cause", "remedy"), FORMS)
def test_a_file_in_another_form_gets_one_message_with_cause_and_remedy(
    name: str, content: bytes, code: str, cause: str, remedy: str, engine: EngineName, tmp_path: Path
) -> None:
    report = problems_of([source(tmp_path / name, content)], options=MeterOptions(engine=engine))
    assert places_of(report) == [(f"{name}:1:1", code)]
    assert cause in report.shown[0].message
    assert remedy in report.shown[0].message


@pytest.mark.parametrize("name", ["usage.xlsx", "usage.XLS", "usage.ods"])
def test_the_message_for_a_workbook_says_how_to_save_it_as_csv(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with usage_sources([str(tmp_path / name)]) as (_, (problem,)):
        assert problem.kind is kinds.UNREADABLE_FILE
        assert "Excel workbook" in problem.message
        assert "CSV UTF-8" in problem.message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("time", ["2023/11/1 0:08:29", "2023/11/1 0:08", "11/1/23 0:08", "1.11.2023 00:08:29", "2023/11/1",
                                  "11/1/2023 12:08:29 AM", "45231.0059"])  # fmt: skip
def test_times_of_a_spreadsheet_get_one_message(time: str, engine: EngineName, tmp_path: Path) -> None:
    rows = [row(job_id=f"j-{number}", completed_at=time if number else "2023/11/2 1:08:29") for number in range(5)]
    report = problems_of([source(tmp_path / "usage.csv", usage_text(rows))], options=MeterOptions(engine=engine))
    (group,) = report.groups
    assert (group.first.kind, group.count, group.lines) == (kinds.BAD_TIME, 5, (2, 3, 4))
    assert "yyyy-mm-dd hh:mm:ss" in group.first.message
    assert "--timezone" in group.first.message


def test_times_without_an_offset_get_one_message_with_the_option(tmp_path: Path) -> None:
    rows = [row(job_id=f"j-{second}", completed_at=f"2023-11-01 00:08:{second}") for second in range(29, 59)]
    report = problems_of([source(tmp_path / "usage.csv", usage_text(rows))])
    (group,) = report.groups
    assert (group.count, group.lines) == (30, (2, 3, 4))
    assert "--timezone" in group.first.message


def test_extra_columns_are_ignored_on_request(tmp_path: Path) -> None:
    text = usage_text([row() + ",x"], HEADER + ",duration")
    for engine in ENGINES:
        options = MeterOptions(engine=engine, ignore_extra_columns=True)
        assert not problems_of([source(tmp_path / "usage.csv", text)], options=options).total


def test_bytes_that_are_not_utf_8_are_reported(tmp_path: Path) -> None:
    text = usage_text([row(), row(job_id="j-2", tag_project="é-news")]).encode("latin-1")
    for engine in ENGINES:
        report = problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine))
        assert places_of(report) == [("usage.csv:3:83", "U110")]
        assert "0xe9" in report.shown[0].message


def test_a_row_without_end_is_refused_and_costs_one_row(tmp_path: Path) -> None:
    text = usage_text([row(tag_project="x" * 2_100_000), row(job_id="j-2")])
    for engine in ENGINES:
        report = problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine))
        assert places_of(report) == [("usage.csv:2:1", "U114")]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n\r\n"])
def test_a_file_without_a_header_is_refused(content: bytes, tmp_path: Path) -> None:
    assert places_of(problems_of([source(tmp_path / "usage.csv", content)])) == [("usage.csv", "U103")]


def test_a_time_before_1970_in_utc_is_outside_every_sheet(tmp_path: Path) -> None:
    text = usage_text([row(completed_at="1970-01-01T00:00:00+08:00")])
    for engine in ENGINES:
        report = problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine))
        assert places_of(report) == [("usage.csv:2:6", "U310")]


def test_an_item_that_a_later_sheet_drops_is_refused(tmp_path: Path) -> None:
    earlier = SHEET.replace("effective_from: 2023-11-01T00:00:00+08:00", "effective_from: 2023-10-01T00:00:00+08:00")
    later = SHEET[: SHEET.index("  dna:")]
    prices = book(earlier, later)
    rows = [usage_of("dna", completed_at="2023-10-31T23:59:59+08:00")]
    assert not problems_of([source(tmp_path / "old.csv", usage_text(rows))], prices).total
    rows = [usage_of("dna", completed_at="2023-11-01T00:00:00+08:00")]
    report = problems_of([source(tmp_path / "new.csv", usage_text(rows))], prices)
    assert places_of(report) == [("new.csv:2:44", "U301")]
    assert "the sheet in force" in report.shown[0].message


@pytest.mark.parametrize("engine", ENGINES)
def test_for_usage_with_unknown_items_the_shipped_sheets_that_have_them_are_named(
    engine: EngineName, tmp_path: Path
) -> None:
    foreign = [usage_of("oss_storage_standard_lrs", job_id=f"j-{number}") for number in range(30)]
    prices = shipped("mps-china")
    report = problems_of(
        [source(tmp_path / "usage.csv", usage_text(foreign))], prices, options=MeterOptions(engine=engine)
    )
    assert places_of(report)[0] == ("usage", "U310")
    assert "no item of the usage is in the price sheets of the run" in report.shown[0].message
    assert "oss-china and oss-intl have all of them" in report.shown[0].message
    # One row that the sheets know, and the sheets are the right ones.
    mixed = source(tmp_path / "mixed.csv", usage_text([*foreign, row()]))
    assert places_of(problems_of([mixed], prices, options=MeterOptions(engine=engine)))[0] == ("mixed.csv:2:44", "U301")


def test_every_kind_of_problem_is_tested() -> None:
    """The kinds for values and rows are in the tables above, those for files and repeats in other modules. U5xx are not problems
    of usage."""
    elsewhere = {"U101", "U102", "U103", "U104", "U110", "U114", "U115", "U116", "U401"}
    codes = [kind.code for kind in vars(kinds).values() if isinstance(kind, Kind)]
    tested = {case[3] for case in ROWS} | {code for case in HEADERS for _, code in case[2]} | elsewhere
    assert tested == {code for code in codes if not code.startswith("U5")}
