"""Why one bill is higher than another: quantity, price, and what is new or gone, which add up to the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.ask.changes import Change, Standout
from mps_bill.ask.compared_periods import ChangeRun, NamedPeriod, compare_periods, compare_usage, tag_columns
from mps_bill.core.diagnostics import InputRejected
from mps_bill.core.times import Period, parse_bound, parse_period
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import bill_usage
from mps_bill.rating.bills import sum_amounts
from mps_bill.rating.contract import LIST_PRICES, Contract, Discount
from mps_bill.rating.selection import EVERYTHING, Selection
from tests import kit

EAST = 8 * 3600
TAGGED = MeterOptions(engine="python", tags=("tag_project",))
MONTHLY = kit.SHEET.replace("settlement: hourly", "settlement: monthly")
#: The sheet from which on minutes of HD cost more.
DEARER = kit.SHEET.replace("2023-11-01T", "2023-11-20T").replace("0.0651", "0.07")


def named(text: str, option: str = "--before") -> NamedPeriod:
    start, dots, end = text.partition("..")
    period = Period(parse_bound(start, EAST), parse_bound(end, EAST)) if dots else parse_period(text, EAST)
    return NamedPeriod(option, text, period)


def compared(
    folder: Path,
    usage: str,
    before: str | int,
    after: str,
    by: Sequence[str] = ("item",),
    sheets: Sequence[str] = (),
    contract: Contract = LIST_PRICES,
    selection: Selection = EVERYTHING,
) -> ChangeRun:
    source = kit.source(folder / "usage.csv", usage)
    side = before if isinstance(before, int) else named(before)
    return compare_periods([source], kit.book(*sheets), TAGGED, side, named(after, "--after"), by, contract, selection)


def rows(run: ChangeRun) -> dict[str, tuple[str, ...]]:
    """The figures of each row by its key, as text; then of the rounding and of the total."""
    shown = [(" ".join(key), change) for key, change in run.changes.rows]
    shown += [("rounding", run.changes.rounding), ("total", run.changes.total)]
    return {key: tuple(f"{figure.normalize() + 0:f}" for figure in astuple(change)) for key, change in shown}


def at(day: str, hour: int = 11) -> str:
    return f"{day}T{hour:02}:20:00+08:00"


def test_a_change_is_by_quantity_by_price_new_or_gone(tmp_path: Path) -> None:
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-11-10"), quantity="100"),
            kit.row(job_id="b", completed_at=at("2023-11-25"), quantity="150"),
            kit.usage_of("audio", job_id="c", completed_at=at("2023-11-11"), quantity="1000"),
            kit.usage_of("dna", job_id="d", completed_at=at("2023-11-26"), quantity="20"),
            kit.row(job_id="e", completed_at=at("2023-10-26"), quantity="77"),
        ]
    )
    october = kit.SHEET.replace("2023-11-01T", "2023-10-01T")
    run = compared(tmp_path, usage, "2023-11-01..2023-11-20", "2023-11-20..2023-12", sheets=(october, DEARER))
    # 50 minutes more at the old 0.0651, and 150 minutes that are 0.0049 dearer.
    assert rows(run) == {
        "audio": ("5.6", "0", "-5.6", "0", "0", "0", "-5.6"),
        "transcoding": ("6.51", "10.5", "3.99", "3.255", "0.735", "0", "0"),
        "dna": ("0", "1", "1", "0", "0", "1", "0"),
        "rounding": ("0", "0", "0", "0", "0", "0", "0"),
        "total": ("12.11", "11.5", "-0.61", "3.255", "0.735", "1", "-5.6"),
    }
    assert [key for key, _ in run.changes.rows] == [("audio",), ("transcoding",), ("dna",)]


def test_another_spec_of_an_item_does_not_change_its_price(tmp_path: Path) -> None:
    """From HD to SD nothing got cheaper: HD is gone and SD is new, or less and more of them is used."""
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-11-10"), quantity="100"),
            kit.row(job_id="b", completed_at=at("2023-11-11"), quantity="100", width="1280", height="720"),
        ]
    )
    run = compared(tmp_path, usage, "2023-11-10", "2023-11-11")
    assert rows(run)["transcoding"] == ("6.51", "3.26", "-3.25", "0", "0", "3.26", "-6.51")
    by_spec = rows(compared(tmp_path, usage, "2023-11-10", "2023-11-11", ("spec",)))
    assert by_spec["H264.SD"][5] == "3.26"
    assert by_spec["H264.HD"][6] == "-6.51"


def test_an_item_with_another_kind_of_unit_is_gone_and_new(tmp_path: Path) -> None:
    """An item whose unit is of another kind in a new version is gone, and new."""
    images = kit.SHEET.replace("2023-11-01T", "2023-11-20T").replace(
        "    unit: minute\n    spec: DNA", "    unit: image\n    spec: DNA"
    )
    usage = kit.usage_text(
        [
            kit.usage_of("dna", job_id="a", completed_at=at("2023-11-10"), quantity="20"),
            kit.usage_of("dna", job_id="b", completed_at=at("2023-11-21"), quantity="30", unit="image"),
        ]
    )
    run = compared(tmp_path, usage, "2023-11-10", "2023-11-21", sheets=(kit.SHEET, images))
    assert rows(run)["dna"] == ("1", "1.5", "0.5", "0", "0", "1.5", "-1")


def test_tiers_by_the_month_are_those_of_the_whole_usage(tmp_path: Path) -> None:
    """1,000 minutes on the 29th are at the tier that 4,000 before them reached: 90.00, and not 100.00."""
    usage = kit.usage_text(
        [
            kit.usage_of("review", job_id="a", completed_at=at("2023-11-10"), spec="porn", quantity="4000"),
            kit.usage_of("review", job_id="b", completed_at=at("2023-11-28"), spec="porn", quantity="1000"),
            kit.usage_of("review", job_id="c", completed_at=at("2023-11-29"), spec="porn", quantity="1500"),
        ]
    )
    run = compared(tmp_path, usage, "2023-11-28", "2023-11-29")
    assert rows(run)["review"] == ("90", "135", "45", "45", "0", "0", "0")


def test_the_rounding_is_a_row_so_that_the_total_is_what_is_payable(tmp_path: Path) -> None:
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-11-10"), quantity="10"),
            kit.row(job_id="b", completed_at=at("2023-11-11"), quantity="30"),
        ]
    )
    run = compared(tmp_path, usage, "2023-11-10", "2023-11-11")
    # 0.651 is rounded to 0.65, 1.953 to 1.95.
    assert rows(run)["rounding"] == ("-0.001", "-0.003", "-0.002", "0", "-0.002", "0", "0")
    assert rows(run)["total"][:3] == ("0.65", "1.95", "1.3")


def test_a_statement_is_rounded_where_its_month_is_compared_as_a_whole(tmp_path: Path) -> None:
    october = MONTHLY.replace("2023-11-01T", "2023-10-01T")
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-10-10"), quantity="10"),
            kit.row(job_id="b", completed_at=at("2023-11-11"), quantity="30"),
        ]
    )
    months = rows(compared(tmp_path, usage, "2023-10", "2023-11", sheets=(october,)))
    assert months["rounding"][:3] == ("-0.001", "-0.003", "-0.002")
    parts = rows(compared(tmp_path, usage, "2023-10-02..2023-11", "2023-11-02..2023-12", sheets=(october,)))
    assert parts["total"][:3] == ("0.651", "1.953", "1.302")
    ends = rows(compared(tmp_path, usage, "2023-10-01..2023-10-31", "2023-11-01..2023-11-30", sheets=(october,)))
    assert ends["total"][:3] == ("0.651", "1.953", "1.302")


def test_discounts_are_in_the_amounts(tmp_path: Path) -> None:
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-11-10"), quantity="100"),
            kit.row(job_id="b", completed_at=at("2023-11-11"), quantity="100"),
        ]
    )
    from_then = parse_bound("2023-11-11", EAST)
    contract = Contract((Discount("d", Decimal(10), effective_from=from_then),))
    run = compared(tmp_path, usage, "2023-11-10", "2023-11-11", ("item", "tag_project"), contract=contract)
    assert rows(run)["transcoding "] == ("6.51", "5.859", "-0.651", "0", "-0.651", "0", "0")
    assert rows(run)["total"][:3] == ("6.51", "5.85", "-0.66")


def test_a_tag_has_its_share_of_a_line(tmp_path: Path) -> None:
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-11-10"), quantity="10", tag_project="drama"),
            kit.row(job_id="b", completed_at=at("2023-11-10"), quantity="30", tag_project="news"),
            kit.row(job_id="c", completed_at=at("2023-11-11"), quantity="30", tag_project="drama"),
            kit.row(job_id="d", completed_at=at("2023-11-11"), quantity="5", tag_project="sport"),
        ]
    )
    run = compared(tmp_path, usage, "2023-11-10", "2023-11-11", ("tag_project",))
    assert rows(run) == {
        "news": ("1.953", "0", "-1.953", "0", "0", "0", "-1.953"),
        "drama": ("0.651", "1.953", "1.302", "1.302", "0", "0", "0"),
        "sport": ("0", "0.3255", "0.3255", "0", "0", "0.3255", "0"),
        "rounding": ("-0.004", "-0.0085", "-0.0045", "0", "-0.0045", "0", "0"),
        "total": ("2.6", "2.27", "-0.33", "1.302", "-0.0045", "0.3255", "-1.953"),
    }


def test_a_day_against_the_average_of_the_days_before_it(tmp_path: Path) -> None:
    """Days without usage count, from the first day of the usage on."""
    usage = kit.usage_text(
        [
            kit.row(job_id="a", completed_at=at("2023-11-08"), quantity="1000"),
            kit.row(job_id="b", completed_at=at("2023-11-10"), quantity="10"),
            kit.row(job_id="c", completed_at=at("2023-11-11"), quantity="30"),
            kit.usage_of("audio", job_id="d", completed_at=at("2023-11-11"), quantity="50"),
            kit.row(job_id="e", completed_at=at("2023-11-13"), quantity="100"),
            kit.usage_of("audio", job_id="f", completed_at=at("2023-11-13"), quantity="50"),
            kit.usage_of("dna", job_id="g", completed_at=at("2023-11-13"), quantity="3"),
            kit.row(job_id="h", completed_at=at("2023-11-14"), quantity="500"),
        ]
    )
    run = compared(tmp_path, usage, 3, "2023-11-13")
    assert run.changes.before.period == named("2023-11-10..2023-11-13").period
    assert len(run.changes.before.parts) == 3
    assert rows(run) == {
        "transcoding": ("0.868", "6.51", "5.642", "5.642", "0", "0", "0"),
        "dna": ("0", "0.15", "0.15", "0", "0", "0.15", "0"),
        "audio": ("0.0933333333", "0.28", "0.1866666667", "0.1866666667", "0", "0", "0"),
        # Payable were 0.65 and 2.23 and 0.
        "rounding": ("-0.0013333333", "0", "0.0013333333", "0", "0.0013333333", "0", "0"),
        "total": ("0.96", "6.94", "5.98", "5.8286666667", "0.0013333333", "0.15", "0"),
    }
    # Audio cost as much as on a day before.
    assert run.changes.standouts == (
        Standout("transcoding", Decimal("6.51"), Decimal(0), Decimal("1.953")),
        Standout("dna", Decimal("0.15"), Decimal(0), Decimal(0)),
    )
    assert len(compared(tmp_path, usage, 7, "2023-11-13").changes.before.parts) == 5
    assert compared(tmp_path, usage, 7, "2023-11-09").changes.before.label == "2023-11-08"


def test_a_first_day_has_no_day_before(tmp_path: Path) -> None:
    usage = kit.usage_text([kit.row(job_id="a", completed_at=at("2023-11-10"))])
    with pytest.raises(InputRejected) as rejected:
        compared(tmp_path, usage, 7, "2023-11-10")
    (problem,) = rejected.value.report.shown
    assert str(problem.place) == "--after 2023-11-10"
    assert "has no day before 2023-11-10" in problem.message


def test_a_bill_is_not_divided(tmp_path: Path) -> None:
    usage = kit.usage_text([kit.row(job_id="a", completed_at=at("2023-11-10"))])
    with pytest.raises(InputRejected) as rejected:
        compared(tmp_path, usage, "2023-11-09..2023-11-10T11:15", "2023-11-10T11:15..2023-11-11")
    assert [str(problem.place) for problem in rejected.value.report.shown] == [
        "--after 2023-11-10T11:15..2023-11-11",
        "--before 2023-11-09..2023-11-10T11:15",
    ]
    assert "2023-11-10 11:15 is within the billing cycle" in rejected.value.report.shown[0].message


def test_files_are_billed_each_by_itself(tmp_path: Path) -> None:
    """So month tiers begin anew, as they do in the bills of the files."""
    old = kit.usage_text([kit.usage_of("review", job_id="a", spec="porn", quantity="4000")])
    new = kit.usage_text([kit.usage_of("review", job_id="b", spec="porn", quantity="1000")])
    sources = [kit.source(tmp_path / name, text) for name, text in (("old.csv", old), ("new.csv", new))]
    run = compare_usage(("old", sources[:1]), ("new", sources[1:]), kit.book(), TAGGED, ("item",))
    assert rows(run)["review"] == ("360", "100", "-260", "-270", "10", "0", "0")
    assert run.control_totals.rows_read == 2


def test_the_problems_of_both_files_are_reported(tmp_path: Path) -> None:
    bad = [kit.usage_text([kit.row(job_id=name, region="mars")]) for name in "ab"]
    sources = [kit.source(tmp_path / f"{number}.csv", text) for number, text in enumerate(bad)]
    with pytest.raises(InputRejected) as rejected:
        compare_usage(("0", sources[:1]), ("1", sources[1:]), kit.book(), TAGGED, ("item",))
    assert [problem.place.file for problem in rejected.value.report.shown] == ["0.csv", "1.csv"]
    assert rejected.value.report.total == 2
    options = replace(TAGGED, bill_good_rows=True)
    run = compare_usage(("0", sources[:1]), ("1", sources[1:]), kit.book(), options, ("item",))
    assert (run.control_totals.rows_rejected, run.problems.total) == (2, 2)


def test_the_tags_of_files_are_in_the_order_of_their_headers(tmp_path: Path) -> None:
    text = kit.usage_text([], f"{kit.HEADER},tag_a")
    assert tag_columns([kit.source(tmp_path / "u.csv", text)], kit.book(), MeterOptions()) == ("tag_project", "tag_a")


# The model: every record of a flat price by itself, in fractions.

_PRICES = {"transcoding": "0.0651", "audio": "0.0056", "dna": "0.05"}
Records = list[tuple[int, str, int, str, str]]
_RECORDS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(sorted(_PRICES)),
        st.integers(2, 90_000),
        st.sampled_from(["cn-shanghai", "cn-beijing"]),
        st.sampled_from(["", "drama", "news"]),
    ),
    max_size=12,
)


def usage_of(records: Records) -> str:
    lines = []
    for number, (day, item, hundredths, region, project) in enumerate(records):
        values = {
            "job_id": f"j-{number}",
            "completed_at": at(f"2023-11-1{day}", 10 + number % 3),
            "quantity": str(Decimal(hundredths) / 100),
            "region": region,
            "tag_project": project,
        }
        lines.append(kit.row(**values) if item == "transcoding" else kit.usage_of(item, **values))
    return kit.usage_text([kit.row(job_id="first", completed_at=at("2023-11-10"), quantity="1"), *lines])


def modelled(records: Records) -> dict[str, list[Fraction]]:
    """By item: before, after, quantity effect, price effect, new, gone, from the 10th to the 11th of November."""
    sums: dict[tuple[str, str], list[Fraction]] = {}
    for day, item, hundredths, region, _ in [(0, "transcoding", 100, "cn-shanghai", ""), *records]:
        if day < 2:
            sums.setdefault((item, region), [Fraction(0), Fraction(0)])[day] += Fraction(hundredths, 100)
    found: dict[str, list[Fraction]] = {}
    for (item, _), (old, new) in sums.items():
        price = Fraction(_PRICES[item])
        figures = [old * price, new * price, (new - old) * price if old and new else Fraction(0), Fraction(0)]
        figures += [new * price if not old else Fraction(0), -old * price if not new else Fraction(0)]
        found[item] = [a + b for a, b in zip(found.get(item, [Fraction(0)] * 6), figures, strict=True)]
    return found


@given(_RECORDS)
def test_flat_prices_agree_with_a_model(tmp_path_factory: pytest.TempPathFactory, records: Records) -> None:
    run = compared(tmp_path_factory.mktemp("model"), usage_of(records), "2023-11-10", "2023-11-11")
    assert {
        key[0]: [Fraction(x) for x in (c.before, c.after, c.quantity_effect, c.price_effect, c.new, c.gone)]
        for key, c in run.changes.rows
    } == modelled(records)


def check_sums(run: ChangeRun) -> None:
    """Every row adds up, and the rows to the total."""
    every = [change for _, change in run.changes.rows] + [run.changes.rounding]
    for change in (*every, run.changes.total):
        assert change.change == change.after - change.before
        assert change.change == change.quantity_effect + change.price_effect + change.new + change.gone
    assert sum(every, Change()) == run.changes.total
    sizes = [abs(change.change) for _, change in run.changes.rows]
    assert sizes == sorted(sizes, reverse=True)


@st.composite
def _tiered(draw: st.DrawFn) -> str:
    """Usage of items with and without tiers, tags, and rounding by the cycle."""
    lines = []
    for number in range(draw(st.integers(1, 12))):
        item = draw(st.sampled_from(["transcoding", "review", "traffic", "captions"]))
        values = {
            "job_id": f"j-{number}",
            "completed_at": at(f"2023-11-1{draw(st.integers(0, 3))}", draw(st.integers(10, 12))),
            "quantity": str(Decimal(draw(st.integers(1, 9_000_000))) / 1000),
            "tag_project": draw(st.sampled_from(["", "drama", "news"])),
        }
        extra = {"review": {"spec": "porn"}, "traffic": {"unit": "GB"}}.get(item, {})
        lines.append(kit.row(**values) if item == "transcoding" else kit.usage_of(item, **values, **extra))
    return kit.usage_text(lines)


@given(_tiered())
def test_the_split_is_that_of_the_lines_of_the_bills(tmp_path_factory: pytest.TempPathFactory, usage: str) -> None:
    """Tiers by the month included: each line as the bills have it, summed here by hand."""
    folder = tmp_path_factory.mktemp("lines")
    run = compared(folder, usage, "2023-11-10..2023-11-12", "2023-11-12..2023-11-14")
    sums: dict[tuple[str, str, str], list[Fraction]] = {}
    for bill in bill_usage([kit.source(folder / "usage.csv")], kit.book(), TAGGED).bills:
        side = 2 * (bill.cycle.start >= parse_bound("2023-11-12", EAST))
        for line in bill.lines:
            key = (line.item.code, line.spec, line.region)
            own = sums.setdefault(key, [Fraction(0)] * 4)
            own[side] += line.micros
            own[side + 1] += Fraction(line.amount)
    wanted: dict[str, list[Fraction]] = {}
    for (item, _, _), (old, before, new, after) in sums.items():
        by_quantity, is_new, is_gone = Fraction(0), Fraction(0), Fraction(0)
        if old and new:
            by_quantity = before * (new - old) / old
        elif new:
            is_new = after
        elif old:
            is_gone = -before
        found = wanted.setdefault(item, [Fraction(0)] * 5)
        for place, figure in enumerate((before, after, by_quantity, is_new, is_gone)):
            found[place] += figure
    assert {key[0] for key, _ in run.changes.rows} == wanted.keys()
    for (item,), change in run.changes.rows:
        before, after, by_quantity, is_new, is_gone = wanted[item]
        assert [Fraction(one) for one in (change.before, change.after, change.new, change.gone)] == [
            before,
            after,
            is_new,
            is_gone,
        ]
        assert abs(Fraction(change.quantity_effect) - by_quantity) <= Fraction(1, 2 * 10**10)


_BY = st.lists(
    st.sampled_from(["item", "family", "spec", "region", "tag_project"]), min_size=1, max_size=3, unique=True
)


@given(_tiered(), _BY, st.sampled_from([kit.SHEET, MONTHLY]), st.sampled_from(["0", "12.34"]))
def test_effects_add_up_and_a_swap_negates_the_change(
    tmp_path_factory: pytest.TempPathFactory, usage: str, by: list[str], sheet: str, percent: str
) -> None:
    folder = tmp_path_factory.mktemp("sums")
    contract = Contract((Discount("d", Decimal(percent)),))
    periods = ("2023-11-10..2023-11-12", "2023-11-12..2023-12")
    there = compared(folder, usage, *periods, by, (sheet,), contract)
    back = compared(folder, usage, *reversed(periods), by, (sheet,), contract)
    for run in (there, back):
        check_sums(run)
    turned = dict(back.changes.rows)
    assert turned.keys() == dict(there.changes.rows).keys()
    for key, change in there.changes.rows:
        assert (change.before, change.change) == (turned[key].after, -turned[key].change)
        assert (change.new, change.gone) == (-turned[key].gone, -turned[key].new)
    assert there.changes.total.change == -back.changes.total.change
    bills = bill_usage([kit.source(folder / "usage.csv")], kit.book(sheet), TAGGED, contract=contract)
    both = sum_amounts(bills.bills) if sheet == MONTHLY else sum_amounts(bills.bills, bills.months)
    assert there.changes.total.before + there.changes.total.after == (both.net if sheet == MONTHLY else both.payable)


@given(_tiered(), _BY, st.integers(1, 4))
def test_an_average_adds_up_and_is_that_of_the_days(
    tmp_path_factory: pytest.TempPathFactory, usage: str, by: list[str], number: int
) -> None:
    folder = tmp_path_factory.mktemp("average")
    early = kit.usage_of("audio", job_id="first", completed_at=at("2023-11-09"))
    usage += early + "\n"
    run = compared(folder, usage, number, "2023-11-13", by)
    check_sums(run)
    bills = bill_usage([kit.source(folder / "usage.csv")], kit.book(), TAGGED).bills
    start = parse_bound("2023-11-13", EAST) - number * 86_400
    days = [bill for bill in bills if start <= bill.cycle.start < start + number * 86_400]
    exact = Fraction(sum_amounts(days).payable) / number
    assert abs(Fraction(run.changes.total.before) - exact) <= Fraction(1, 2 * 10**10)
    for change in dict(run.changes.rows).values():
        assert change.before >= 0


@given(_tiered(), st.sampled_from(["2023-11-11", "2023-11-12", "2023-11-13"]))
def test_a_part_has_the_rows_of_the_whole(tmp_path_factory: pytest.TempPathFactory, usage: str, day: str) -> None:
    """What --only leaves of the bills is compared as it is in the whole, tiers and shares included; nothing of it is rounded."""
    folder = tmp_path_factory.mktemp("part")
    usage += kit.usage_of("audio", job_id="first", completed_at=at("2023-11-09")) + "\n"
    only = {"item": frozenset({"review", "captions"}), "tag_project": frozenset({"news", ""})}
    by = ("item", "tag_project")
    for before in (2, "2023-11-09..2023-11-11"):
        whole = compared(folder, usage, before, day, by)
        part = compared(folder, usage, before, day, by, selection=Selection(only=only, tags=("tag_project",)))
        check_sums(part)
        assert dict(part.changes.rows) == {
            key: change
            for key, change in whole.changes.rows
            if key[0] in only["item"] and key[1] in only["tag_project"]
        }
        assert part.changes.rounding == Change()
        assert part.control_totals == whole.control_totals
