"""Cycles that have not ended by the clock: an account is not charged for them unasked, every other command warns."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.cli import clock, run
from mps_bill.core.times import parse_second
from tests import kit

ACCOUNT = "format: mps-bill/account/1\nid: a\ncurrency: USD\nbalance: 100\n"
#: The hours 10, 11 and 12 of a day, and a failed job of another year.
ROWS = [
    kit.row(job_id="j-10", completed_at="2023-11-10T10:59:59+08:00"),
    kit.row(job_id="j-11", completed_at="2023-11-10T11:00:00+08:00"),
    kit.row(job_id="j-12", completed_at="2023-11-10T12:00:00+08:00"),
    kit.row(job_id="j-33", completed_at="2033-11-10T12:00:00+08:00", status="failed"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sheet.yaml").write_text(kit.SHEET)
    Path("usage.csv").write_text(kit.usage_text(ROWS))
    Path("account.yaml").write_text(ACCOUNT)
    return tmp_path


def at(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: parse_second(f"2023-11-10T{time}+08:00"))


def settle(*more: str) -> int:
    return run(["settle", "usage.csv", "-p", "sheet.yaml", "-a", "account.yaml", *more])


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("time", "said"),
    [
        (
            "11:59:59",
            "2 cycles, mps 2023-11-10 11:00 to mps 2023-11-10 12:00, have not ended: it is 2023-11-10 11:59:59.",
        ),
        ("12:59:59", "the cycle mps 2023-11-10 12:00 has not ended: it is 2023-11-10 12:59:59."),
        ("13:00:00", None),
    ],
)
def test_an_account_is_not_charged_for_a_cycle_that_has_not_ended(
    time: str, said: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(monkeypatch, time)
    assert settle("--in-place") == (3 if said else 0)
    told = capsys.readouterr()
    if said:
        assert f"account.yaml: {said}" in told.err
        assert "[A107 unfinished-cycle]" in told.err
        assert (told.out, Path("account.yaml").read_text()) == ("", ACCOUNT)
        assert settle("--save", "after.yaml") == 3
        assert not Path("after.yaml").exists()
        capsys.readouterr()
        # Without saving it is a warning.
        assert settle() == 0
        assert f"Warning: {said}\n" in capsys.readouterr().err
        assert settle("-q") == 0
        assert capsys.readouterr().err == ""
        assert settle("--in-place", "--allow-future") == 0
        assert "not ended" not in capsys.readouterr().err
    assert "balance: 98.05" in Path("account.yaml").read_text()


@pytest.mark.usefixtures("place")
def test_cycles_that_as_of_holds_back_are_not_charged_and_not_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(monkeypatch, "12:30:00")
    assert settle("--in-place", "--as-of", "2023-11-10T12:30:00+08:00") == 0
    assert "not ended" not in capsys.readouterr().err
    assert "balance: 99.35" in Path("account.yaml").read_text()
    before = Path("account.yaml").read_text()
    # The account would go to a time that is in the future, and never back.
    assert settle("--in-place", "--as-of", "2023-11-10T12:30:01+08:00") == 2
    assert "is in the future" in capsys.readouterr().err
    assert Path("account.yaml").read_text() == before
    assert settle("--as-of", "2023-11-10T13:00:00+08:00") == 0
    assert settle("--in-place", "--as-of", "2023-11-10T13:00:00+08:00", "--allow-future") == 0
    assert "settled_at: 2023-11-10T13:00:00+08:00" in Path("account.yaml").read_text()


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("engine", kit.ENGINES)
def test_no_account_of_a_folder_is_charged_for_it(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(monkeypatch, "12:30:00")
    Path("accounts").mkdir()
    texts = {id_: ACCOUNT.replace("id: a", f"id: {id_}") for id_ in ("a", "b")}
    for id_, text in texts.items():
        Path("accounts", f"{id_}.yaml").write_text(text)
    rows = [f"{ROWS[0]},a", f"{ROWS[2]},b"]
    Path("usage.csv").write_text(kit.usage_text(rows, f"{kit.HEADER},account_id"))
    words = ["settle", "usage.csv", "-p", "sheet.yaml", "-a", "accounts", "--engine", engine]
    assert run([*words, "--in-place"]) == 3
    assert "accounts: the cycle mps 2023-11-10 12:00 has not ended" in capsys.readouterr().err
    assert {id_: Path("accounts", f"{id_}.yaml").read_text() for id_ in texts} == texts
    assert run(words) == 0
    assert "Warning: the cycle mps 2023-11-10 12:00 has not ended" in capsys.readouterr().err
    assert run([*words, "--in-place", "--allow-future"]) == 0
    assert "balance: 99.35" in Path("accounts", "b.yaml").read_text()


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "words",
    ["bill", "usage check", "explain --job j-10", "compare --region cn-shanghai=cn-beijing", "settle -a account.yaml"],
)
@pytest.mark.parametrize("engine", kit.ENGINES)
def test_every_command_that_reads_usage_warns(
    words: str, engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = words.split()
    command = [name, *more[:1]] if name == "usage" else [name]
    line = [*command, "usage.csv", "-p", "sheet.yaml", "--engine", engine, *more[len(command) - 1 :]]
    for time, warned in (("12:59:59", 1), ("13:00:00", 0)):
        at(monkeypatch, time)
        assert run(line) == 0
        assert capsys.readouterr().err.count("Warning: the cycle mps 2023-11-10 12:00 has not ended") == warned
    at(monkeypatch, "12:59:59")
    assert run([*line, "-q"]) == 0
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_a_day_has_ended_when_all_of_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    daily = kit.SHEET.replace("cycle: hour", "cycle: day")
    Path("sheet.yaml").write_text(daily)
    for second, warned in ((-1, True), (0, False)):
        end = parse_second("2023-11-11T00:00:00+08:00")
        monkeypatch.setattr(clock, "now", lambda end=end, second=second: end + second)
        assert run(["bill", "usage.csv", "-p", "sheet.yaml"]) == 0
        assert ("the cycle mps 2023-11-10 00:00 has not ended" in capsys.readouterr().err) is warned


@pytest.mark.usefixtures("place")
def test_bills_that_as_of_holds_back_are_not_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(monkeypatch, "12:30:00")
    assert run(["bill", "usage.csv", "-p", "sheet.yaml", "--as-of", "2023-11-10T13:59:59+08:00"]) == 0
    assert "Warning" not in capsys.readouterr().err
    assert run(["bill", "usage.csv", "-p", "sheet.yaml", "--as-of", "2023-11-10T14:00:00+08:00"]) == 0
    assert "Warning" in capsys.readouterr().err


def test_the_clock_is_the_systems() -> None:
    assert clock.now() > parse_second("2024-01-01T00:00:00Z")
