"""Usage with the account of every row: engines agree on each account, and wrong files are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.diagnostics import quoted
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from tests import kit
from tests.generated import files, outcome, with_accounts
from tests.kit import ENGINES

MANY = MeterOptions(engine="python", accounts=True)
HEADER = f"{kit.HEADER},account_id"


def _text(*rows: tuple[str, str]) -> str:
    """Usage with these rows and their accounts."""
    return kit.usage_text([f"{line},{account}" for line, account in rows], HEADER)


@given(
    st.lists(files(dirty=True), min_size=1, max_size=2),
    st.booleans(),
    st.sampled_from([(), ("tag_project",)]),
)
def test_engines_agree_on_every_account(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], trust_unique: bool, tags: tuple[str, ...]
) -> None:
    folder = tmp_path_factory.mktemp("usage")
    sources = [
        kit.source(folder / f"{number}.csv", with_accounts(content, dirty=True))
        for number, content in enumerate(contents)
    ]
    exact, engine = (
        outcome(sources, replace(MANY, engine=name, trust_unique=trust_unique, tags=tags)) for name in ENGINES
    )
    assert engine == exact


@given(files(dirty=False))
def test_engines_agree_on_clean_files(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("usage")
    source = kit.source(folder / "usage.csv", with_accounts(content, dirty=False))
    exact, engine = (outcome([source], replace(MANY, engine=name)) for name in ENGINES)
    assert engine == exact
    assert sum(numbers[0] for _, totals, *_ in exact["accounts"] for numbers in totals.values()) == sum(
        numbers[0] for numbers in exact["totals"].values()
    )
    for place, total in enumerate(exact["unbilled"]):
        assert sum(counts[place] for _, _, *counts in exact["accounts"]) == total


@pytest.mark.parametrize("engine", ENGINES)
def test_accounts_come_in_order_and_more_than_once(tmp_path: Path, engine: EngineName) -> None:
    rows = [(kit.row(job_id=f"j-{number}"), f"s-{number % 3}") for number in (2, 4, 0, 1, 3)]
    metered = kit.metered([kit.source(tmp_path / "u.csv", _text(*rows))], options=replace(MANY, engine=engine))
    assert metered.by_account is not None
    for _ in range(2):
        counted = [(account, one.rows_read) for account, one in metered.by_account]
        assert counted == [("s-0", 2), ("s-1", 2), ("s-2", 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_without_account_is_bad(tmp_path: Path, engine: EngineName) -> None:
    source = kit.source(tmp_path / "u.csv", _text((kit.row(), "s-1"), (kit.row(job_id="j-2"), "")))
    report = kit.problems_of([source], options=replace(MANY, engine=engine))
    assert kit.places(report) == [(f"u.csv:3:{len(kit.row(job_id='j-2')) + 2}", "U201")]


@pytest.mark.parametrize("engine", ENGINES)
def test_one_record_belongs_to_one_account(tmp_path: Path, engine: EngineName) -> None:
    source = kit.source(tmp_path / "u.csv", _text((kit.row(), "s-1"), (kit.row(), "s-2")))
    report = kit.problems_of([source], options=replace(MANY, engine=engine))
    assert kit.places(report) == [("u.csv:3:1", "U401")]
    assert 'account_id "s-2" here, "s-1" there' in report.shown[0].message


def test_files_with_and_without_accounts_do_not_mix(tmp_path: Path) -> None:
    sources = [
        kit.source(tmp_path / "a.csv", _text((kit.row(), "s-1"))),
        kit.source(tmp_path / "b.csv", kit.usage_text([kit.row(job_id="j-2")])),
    ]
    report = kit.problems_of(sources, options=replace(MANY, accounts=None))
    assert kit.places(report) == [("b.csv:1:1", "U105")]


def test_many_accounts_if_one_is_expected_and_vice_versa(tmp_path: Path) -> None:
    many = kit.source(tmp_path / "many.csv", _text((kit.row(), "s-1")))
    one = kit.source(tmp_path / "one.csv", kit.usage_text([kit.row()]))
    assert kit.places(kit.problems_of([many])) == [("many.csv:1:1", "U116")]
    assert kit.places(kit.problems_of([one], options=MANY)) == [("one.csv:1:1", "U105")]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("other", ["acme ", " acme", "acme\u00a0", "\u200bacme", "ac\u200dme", '"acme "', "acme\u3000"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("trust_unique", [False, True])
def test_accounts_that_look_alike_give_one_warning_with_their_first_places(
    tmp_path: Path, engine: EngineName, other: str, swapped: bool, trust_unique: bool
) -> None:
    accounts = ["acme", "beta", other, "gamma ", "gamma ", other, "acme"]
    rows = [(kit.row(job_id=f"j-{number}"), account) for number, account in enumerate(accounts)]
    warnings: list[str] = []
    options = replace(MANY, engine=engine, trust_unique=trust_unique, notify=warnings.append)
    source = kit.source(tmp_path / "usage.csv", _text(*(rows[::-1] if swapped else rows)))
    metered = kit.metered([source], options=options)
    assert metered.by_account is not None
    value = other.strip('"')
    found = {account: each.rows_read for account, each in metered.by_account}
    assert found == {"acme": 2, "beta": 1, "gamma ": 2, value: 2}
    named = [f"account {quoted(one)} at usage.csv:{line}" for one, line in (("acme", 2), (value, 3 if swapped else 4))]
    assert warnings == [
        f"Warning: accounts differ only by spaces or by invisible characters: {' and '.join(named)};"
        " they are billed as different accounts"
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_accounts_that_differ_visibly_or_are_not_billed_give_no_warning(tmp_path: Path, engine: EngineName) -> None:
    rows = [
        (kit.row(job_id=f"j-{number}"), account) for number, account in enumerate(("a b", "ab", "A B", "a  b", "z "))
    ]
    rows.append((kit.row(job_id="bad", unit="parsec"), "ab "))
    warnings: list[str] = []
    options = replace(MANY, engine=engine, notify=warnings.append, bill_good_rows=True)
    assert kit.metered([kit.source(tmp_path / "usage.csv", _text(*rows))], options=options).rows_rejected == 1
    assert warnings == []


@pytest.mark.parametrize("engine", ENGINES)
def test_many_accounts_that_look_alike_are_shown_in_part(tmp_path: Path, engine: EngineName) -> None:
    names = [f"s-{number}{end}" for number in range(30) for end in ("", " ")]
    rows = [(kit.row(job_id=f"j-{number}"), account) for number, account in enumerate(names)]
    warnings: list[str] = []
    options = replace(MANY, engine=engine, notify=warnings.append)
    kit.metered([kit.source(tmp_path / "usage.csv", _text(*rows))], options=options)
    (warning,) = warnings
    assert warning.count(" and account ") == 5
    assert "(and 25 more)" in warning
