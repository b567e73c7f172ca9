"""A change for people and programs: every format has all of it, and its figures add up."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from mps_bill.ask.compared_periods import compare_periods
from mps_bill.cli import run as run_command
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.view.change_view import ChangeView
from mps_bill.view.columns import Row
from mps_bill.view.tables import Note, Table
from tests import kit
from tests.ask.test_changes import named
from tests.conftest import ROOT
from tests.render.runs import text

SAMPLE = str(ROOT / "samples" / "two-months.csv")
_TAGGED = MeterOptions(engine="python", tags=("tag_project",))


def view_of(folder: Path, usage: str, by: tuple[str, ...], *, show_all: bool = False) -> ChangeView:
    source = kit.source(folder / "usage.csv", usage)
    periods = named("2023-11-10"), named("2023-11-11", "--after")
    return ChangeView(compare_periods([source], kit.book(), _TAGGED, *periods, by), show_all)


def projects(count: int) -> str:
    """Usage of this number of projects on the second of two days; each project costs more than the one before it."""
    rows = [kit.row(job_id="first", completed_at="2023-11-10T11:20:00+08:00", tag_project="p-1")]
    rows += [
        kit.row(job_id=f"j-{n}", completed_at="2023-11-11T11:20:00+08:00", quantity=str(1000 * n), tag_project=f"p-{n}")
        for n in range(1, count + 1)
    ]
    return kit.usage_text(rows)


def changes_table(view: ChangeView) -> Table:
    return next(
        block for block in view.printed() if isinstance(block, Table) and block.title.startswith("What changed")
    )


def names(table: Table) -> list[object]:
    return [row[0] for row in table.values]


def sums(rows: list[Row]) -> list[object]:
    return [sum(column, Decimal(0)) for column in zip(*(row[1:] for row in rows), strict=True)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (11, 11), (12, 10), (30, 10)])
def test_the_largest_are_printed_and_the_rest_is_summed(tmp_path: Path, count: int, shown: int) -> None:
    table = changes_table(view_of(tmp_path, projects(count), ("tag_project",)))
    largest = [f"p-{number}" for number in range(count, count - shown, -1)]
    rest = [f"{count - shown} others"] if count > shown else []
    assert names(table) == [*largest, *rest, "Rounding"]
    assert sums(list(table.values)) == list(table.totals[0][1:])
    every = changes_table(view_of(tmp_path, projects(count), ("tag_project",), show_all=True))
    assert len(every.rows) == count + 1
    assert every.totals == table.totals


def test_a_second_grouping_follows_the_first(tmp_path: Path) -> None:
    table = changes_table(view_of(tmp_path, projects(6), ("item", "tag_project")))
    assert names(table) == ["transcoding", "- p-6", "- p-5", "- p-4", "- 3 others", "Rounding"]
    rows = list(table.values)
    assert sums(rows[1:5]) == list(rows[0][1:])
    assert sums([rows[0], rows[5]]) == list(table.totals[0][1:])


def test_an_empty_tag_has_a_name_where_people_read_it(tmp_path: Path) -> None:
    usage = kit.usage_text([kit.row(), kit.row(job_id="b", completed_at="2023-11-11T11:20:00+08:00", tag_project="=x")])
    view = view_of(tmp_path, usage, ("tag_project",))
    assert names(changes_table(view)) == ["(none)", "=x", "Rounding"]
    assert [row[0] for row in view.tables().tables[0].values] == ["(none)", "=x", "Rounding"]
    document = json.loads(text(view, "json"))
    assert [change["tag_project"] for change in document["changes"]] == ["", "=x", None]
    assert text(view, "csv").splitlines()[2].startswith("change,'=x,")


def test_every_format_has_the_whole_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", SAMPLE, "--prices", "mps-china", "--after", "2023-12", "--by", "item,tag_project"]
    printed = {}
    for name in ("json", "csv", "table", "markdown", "html"):
        assert run_command([*command, "--format", name]) == 0
        printed[name] = capsys.readouterr().out
    document = json.loads(printed["json"])
    assert document["total"]["before"] == "309.57"
    assert document["total"]["change"] == "371.1"
    figures = [key for key in document["total"] if key != "row"]
    assert figures == ["before", "after", "change", "quantity_effect", "price_effect", "new", "gone"]
    rows = list(csv.DictReader(io.StringIO(printed["csv"])))
    for one in (document["changes"], rows):
        for key in figures:
            assert sum(Decimal(change[key]) for change in one) == Decimal(document["total"][key])
    for name in ("table", "markdown", "html"):
        assert "680.67" in printed[name]
        assert "371.10" in printed[name]
    book = tmp_path / "change.xlsx"
    assert run_command([*command, "--output", str(book)]) == 0
    sheet = openpyxl.load_workbook(book)["Changes"]
    cells = [row for row in sheet.values if isinstance(row[2], (int, float))]
    assert len(cells) == len(document["changes"])
    assert round(sum(row[4] for row in cells), 10) == 371.1


def test_a_day_says_how_many_days_it_is_compared_with(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", SAMPLE, "--prices", "mps-china", "--after", "2023-11-17", "--days", "3", "--format", "json"]
    assert run_command(command) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["by"] == ["item", "tag_project"]
    assert document["before"]["days_averaged"] == 3
    assert document["before"]["from"] == "2023-11-14T00:00:00+08:00"
    (standout,) = document["stands_out"]
    assert standout["item"] == "transcoding"
    assert standout["after"] == "41.74595"


def test_ten_unusual_changes_are_printed(tmp_path: Path) -> None:
    source = kit.source(tmp_path / "usage.csv", projects(13) + kit.row(job_id="x", completed_at="2023-11-09T11:00Z"))
    run = compare_periods([source], kit.book(), _TAGGED, 7, named("2023-11-11", "--after"), ("tag_project",))
    for show_all, lines in ((False, 10), (True, 13)):
        table, *notes = list(ChangeView(run, show_all).printed())[1:3]
        assert isinstance(table, Table)
        assert table.title == "Stands out: more or less than on any of the 2 days before, USD"
        assert names(table) == [f"p-{number}" for number in range(13, 13 - lines, -1)]
        assert (Note("3 more stand out; --all lists them.") in notes) is not show_all


def test_without_tags_a_day_is_compared_by_item(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = kit.HEADER.removesuffix(",tag_project")
    rows = [kit.row(), kit.row(job_id="b", completed_at="2023-11-11T11:20:00+08:00")]
    usage = tmp_path / "u.csv"
    usage.write_text(kit.usage_text([row.removesuffix(",") for row in rows], header))
    command = ["compare", str(usage), "--prices", "mps-china", "--after", "2023-11-11", "--format", "json"]
    assert run_command(command) == 0
    assert json.loads(capsys.readouterr().out)["by"] == ["item"]


def test_a_default_grouping_is_not_one_of_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`by:` in the config file is for summaries, whose groupings do not all work for a change."""
    (tmp_path / "mps-bill.yaml").write_text("by: [hour]\nprices: [mps-china]\n")
    monkeypatch.chdir(tmp_path)
    assert run_command(["compare", SAMPLE, "--after", "2023-12"]) == 0
    assert run_command(["compare", SAMPLE, "--with", "mps-china"]) == 0
    assert "What changed by item" in capsys.readouterr().out


def test_an_account_gives_its_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account = tmp_path / "account.yaml"
    account.write_text(
        "format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: 0\ndiscounts:\n  - {id: d, percent: 50}\n"
    )
    command = ["compare", SAMPLE, "--prices", "mps-china", "--after", "2023-12", "--format", "json"]
    assert run_command([*command, "--account", str(account)]) == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert changes[0]["after"] == "228"


def test_parts_of_bills_have_no_payable_amount(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", SAMPLE, "--prices", "mps-china", "--after", "2023-12", "--only", "tag_project=drama"]
    assert run_command(command) == 0
    printed = capsys.readouterr().out
    assert "Shown: tag_project drama. The whole input was metered, tiered and billed." in printed
    assert "Net amount" in printed
    assert "Rounding" not in printed
    assert "payable" not in printed.rpartition("What changed")[2]
    assert run_command([*command, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["selection"] == {"only": {"tag_project": ["drama"]}}
    assert {change["row"] for change in document["changes"]} == {"change"}
    assert document["total"]["after"] == "161.1232"
    assert run_command([*command, "--format", "html"]) == 0
    assert "Net amount after" in capsys.readouterr().out


def test_usage_in_only_one_file_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, project in (("old", "news"), ("new", "drama")):
        (tmp_path / f"{name}.csv").write_text(kit.usage_text([kit.row(tag_project=project)]))
    sides = ["--before", str(tmp_path / "old.csv"), "--after", str(tmp_path / "new.csv"), "--prices", "mps-china"]
    assert run_command(["compare", *sides, "--only", "tag_project=drama", "--format", "json"]) == 0
    printed = capsys.readouterr()
    total = json.loads(printed.out)["total"]
    assert (total["before"], total["after"], total["new"]) == ("0", "0.651", "0.651")
    assert "Nothing was billed in" in printed.err
    assert run_command(["compare", *sides, "--only", "tag_project=dramas"]) == 2
    assert 'did you mean "drama"?' in capsys.readouterr().err


def test_a_lull_of_days_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = tmp_path / "u.csv"
    rows = [kit.row(), kit.row(job_id="b", completed_at="2023-11-25T11:20:00+08:00")]
    usage.write_text(kit.usage_text(rows))
    assert run_command(["compare", str(usage), "--prices", "mps-china", "--after", "2023-11-25"]) == 0
    assert "Nothing was billed in the 7 days before" in capsys.readouterr().err


def test_the_details_of_a_day_have_only_the_tag_of_the_selection(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", SAMPLE, "--prices", "mps-china", "--after", "2023-11-17", "--only", "tag_project=news"]
    assert run_command([*command, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["by"] == ["item"]


def test_rejected_rows_of_both_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("old", "new"):
        rows = [kit.row(job_id="good"), kit.row(job_id="bad", region="mars")]
        (tmp_path / f"{name}.csv").write_text(kit.usage_text(rows))
    sides = ["--before", str(tmp_path / "old.csv"), "--after", str(tmp_path / "new.csv")]
    rejects = tmp_path / "rejects.csv"
    assert run_command(["compare", *sides, "--prices", "mps-china", "--rejects", str(rejects)]) == 1
    printed = capsys.readouterr()
    assert "4 read = 2 billed" in printed.out
    assert "2 rejected" in printed.out
    assert [row["file"].rpartition("/")[2] for row in csv.DictReader(rejects.read_text().splitlines())] == [
        "old.csv",
        "new.csv",
    ]


@pytest.mark.parametrize(("sides", "message"), [
    (["--before", "2023-11", "--after", "2023-12"], '"2023-11" is a period; give the usage files'),
    (["--before", SAMPLE, "--after", "2023-12-01..2023-12-08"], "is a period"),
    (["--before", SAMPLE, "--after", SAMPLE, "--days", "3"], "--days"),
    ([SAMPLE, "--after", SAMPLE], "omit USAGE to compare files"),
    ([SAMPLE, "--after", "2023-12", "--by", "itme"], 'did you mean "item"?'),
    ([SAMPLE, "--after", "2023-12", "--after", "2023-11"], "give one period"),
    ([SAMPLE, "--after", "2023-12", "--own-account", "x.yaml"], "can be combined with --account only"),
    ([SAMPLE, "--after", "2023-12", "--on", "2023-12"], "the periods are those of --before and --after"),
    ([SAMPLE, "--after", "2023-12", "--only", "item=dolbi"], 'did you mean "dolby"?'),
    (["--with", "mps-china"], "USAGE"),
])  # fmt: skip
def test_an_invalid_question_is_refused(sides: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["compare", *sides, "--prices", "mps-china"]) == 2
    assert message in capsys.readouterr().err


def test_a_side_says_which_days_of_its_period_have_bills(capsys: pytest.CaptureFixture[str]) -> None:
    """The days show that the usage has only a part of a month."""
    command = ["compare", SAMPLE, "--prices", "mps-china", "--before", "2023-11-01..2023-11-06", "--after", "2023-12"]
    assert run_command(command) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "Before: 2023-11-01..2023-11-06 (8 bills, 2023-11-01 to 2023-11-04)",
        "After:  2023-12 (56 bills, 2023-12-01 to 2023-12-30)",
    ]


def test_the_notes_name_both_sides(tmp_path: Path) -> None:
    first = next(iter(view_of(tmp_path, projects(2), ("item",)).printed()))
    assert first == Note("Before: 2023-11-10 (1 bill)\nAfter:  2023-11-11 (1 bill)")
