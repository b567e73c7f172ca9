"""`settle` with a folder of accounts: nothing is charged unless all is right, and a crash in between charges nothing twice."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from mps_bill.settlement.save import Staged
from tests import kit

HEADER = f"{kit.HEADER},account_id"
_ACCOUNT = "format: mps-bill/account/1\nid: {}\ncurrency: USD\nbalance: 10\n"
IDS = ("a", "b", "c")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with usage of three accounts, each in a file of `accounts`, and one more that used nothing."""
    monkeypatch.chdir(tmp_path)
    Path("sheet.yaml").write_text(kit.SHEET)
    rows = [f"{kit.row(job_id=f'j-{id_}')},{id_}" for id_ in IDS]
    Path("usage.csv").write_text(kit.usage_text(rows, HEADER))
    Path("accounts").mkdir()
    for id_ in (*IDS, "idle"):
        Path("accounts", f"{id_}.yaml").write_text(_ACCOUNT.format(id_))
    return tmp_path


def _settle(*more: str) -> int:
    return run(["settle", "usage.csv", "--prices", "sheet.yaml", "--account", "accounts", *more])


def _texts() -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(Path("accounts").iterdir())}


def _result(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.usefixtures("place")
def test_each_account_pays_its_own_bills(capsys: pytest.CaptureFixture[str]) -> None:
    before = _texts()
    assert _settle("--in-place", "--format", "json") == 0
    document = _result(capsys)
    assert [one["account_id"] for one in document["accounts"]] == list(IDS)
    assert {one["account"]["balance"] for one in document["accounts"]} == {"9.35"}
    assert document["total"] == {
        "list_amount": "1.953", "rounding_adjustment": "-0.003", "payable": "1.95", "vouchers": "0",
        "stored_value_cards": "0", "balance": "1.95", "credit_line": "0", "outstanding": "0", "frozen": "0",
    }  # fmt: skip
    after = _texts()
    assert after["idle.yaml"] == before["idle.yaml"]
    assert all("balance: 9.35" in after[f"{id_}.yaml"] for id_ in IDS)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("crash", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_crash_in_between_charges_nothing_twice(
    crash: BaseException | type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, commit = _texts(), Staged.commit

    def crashing(stage: Staged) -> None:
        if stage.target.name == "b.yaml":
            raise crash
        commit(stage)

    with monkeypatch.context() as patch:
        patch.setattr(Staged, "commit", crashing)
        if crash is KeyboardInterrupt:
            with pytest.raises(SystemExit, match="130"):
                _settle("--in-place", "--format", "json", "--output", "result.json")
        else:
            assert _settle("--in-place", "--format", "json", "--output", "result.json") == 3
    assert "1 account was settled and saved before this" in capsys.readouterr().err
    between = _texts()
    assert {name for name, text in between.items() if text != before[name]} == {"a.yaml"}
    assert '"account_id": "a"' in Path("result.json").read_text()

    assert _settle("--in-place", "--format", "json") == 0
    document = _result(capsys)
    assert document["control_totals"]["rows_late"] == 1
    assert document["total"]["balance"] == "1.3"
    assert _texts()["a.yaml"] == between["a.yaml"]
    assert all("balance: 9.35" in _texts()[f"{id_}.yaml"] for id_ in IDS)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.yaml", None, "accounts/c.yaml: no such file"),
        ("c.yaml", _ACCOUNT.format("d"), 'it holds the account "d"'),
        ("b.yaml", _ACCOUNT.format("b").replace("10", "1o"), "accounts/b.yaml:4:10"),
    ],
)
def test_nothing_is_charged_unless_every_account_is_right(
    name: str, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("accounts", name).unlink()
    if text is not None:
        Path("accounts", name).write_text(text)
    before = _texts()
    assert _settle("--in-place") == 3
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out
    assert _texts() == before


@pytest.mark.usefixtures("place")
def test_an_account_id_reaches_no_other_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.yaml").write_text(_ACCOUNT.format("x"))
    Path("usage.csv").write_text(kit.usage_text([f"{kit.row()},../x"], HEADER))
    assert _settle("--in-place") == 3
    assert "is not a valid account id" in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_accounts_saved_elsewhere_can_be_settled_further(capsys: pytest.CaptureFixture[str]) -> None:
    Path("after").mkdir()
    before = _texts()
    assert _settle("--save", "after", "--format", "csv") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].startswith("account_id,product,")
    assert "Saved 3 accounts to after." in told.err
    assert _texts() == before
    assert sorted(path.name for path in Path("after").iterdir()) == ["a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.usefixtures("place")
def test_anything_outstanding_of_any_account_fails_when_asked() -> None:
    Path("accounts", "b.yaml").write_text(_ACCOUNT.format("b").replace("10", "0"))
    assert _settle("--fail-on-outstanding") == 4


@pytest.mark.usefixtures("place")
def test_no_account_is_charged_where_one_would_be_charged_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert _settle("--in-place") == 0
    late = {"a": "2023-11-10T10:20:00+08:00", "b": "2023-11-10T11:20:00+08:00", "c": "2023-11-10T11:20:00+08:00"}
    rows = [f"{kit.row(job_id=f'late-{id_}', completed_at=at, quantity='20')},{id_}" for id_, at in late.items()]
    Path("usage.csv").write_text(kit.usage_text(rows, HEADER))
    before = _texts()
    capsys.readouterr()
    assert _settle("--in-place", "--charge-late") == 3
    told = capsys.readouterr()
    assert told.out == ""
    named = [line.partition(": ")[0] for line in told.err.splitlines() if "A106" in line]
    assert named == ["accounts/b.yaml", "accounts/c.yaml"]
    assert _texts() == before
    # Hour 10 of "a" was never charged, so it alone needs no more.
    Path("usage.csv").write_text(kit.usage_text(rows[:1], HEADER))
    assert _settle("--in-place", "--charge-late") == 0
    assert "balance: 8.05" in _texts()["a.yaml"]
    Path("usage.csv").write_text(kit.usage_text(rows[1:], HEADER))
    assert _settle("--in-place", "--charge-late", "--charge-twice") == 0
    assert all("balance: 8.05" in _texts()[f"{id_}.yaml"] for id_ in IDS)


def _full() -> str:
    """A device that accepts no byte: a copy of the system's `full`."""
    try:
        os.mknod("full", 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        Path("full").open("wb").close()
    except OSError:
        pytest.skip("devices cannot be made here")
    return "full"


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("option", ["--output", "--rejects"])
def test_a_disk_without_room_charges_no_account(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{kit.row(job_id=f'j-{id_}')},{id_}" for id_ in IDS]
    Path("usage.csv").write_text(kit.usage_text([*rows, f"{kit.row(job_id='bad', quantity='ten')},a"], HEADER))
    before = _texts()
    results = {"--output": "result.json", "--rejects": "rejects.csv"} | {option: _full()}
    words = [word for pair in results.items() for word in pair]
    assert _settle("--in-place", "--format", "json", *words) == 3
    assert "full cannot be written: No space left on device" in capsys.readouterr().err
    assert _texts() == before
    assert _settle("--in-place", "--format", "json", "--output", "result.json", "--rejects", "rejects.csv") == 1
    assert _texts() != before


@pytest.mark.usefixtures("place")
def test_accounts_without_room_leave_the_old_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = _texts()
    Path("old.json").write_text("old")
    with monkeypatch.context() as disk:
        disk.setattr("mps_bill.settlement.save.staged_account", full)
        for name in ("old.json", "new.json"):
            assert _settle("--in-place", "--output", name) == 3
    assert Path("old.json").read_text() == "old"
    assert not Path("new.json").exists()
    assert _texts() == before
    assert _settle("--in-place", "--output", "old.json") == 0
    assert json.loads(Path("old.json").read_text())["total"]


@pytest.mark.usefixtures("place")
def test_the_outstanding_amount_of_all_accounts_is_stated(capsys: pytest.CaptureFixture[str]) -> None:
    for id_, balance in (("a", "0"), ("b", "0.25")):
        Path("accounts", f"{id_}.yaml").write_text(_ACCOUNT.format(id_).replace("10", balance))
    assert _settle("--fail-on-outstanding", "--fail-over", "1.9", "-q") == 4
    assert capsys.readouterr().err == (
        "A limit was crossed: payable 1.95 USD is above --fail-over 1.90 by 0.05\n"
        "A limit was crossed: 1.05 USD outstanding, and --fail-on-outstanding allows none\n"
    )


PLAN = """resource_plans:
  - id: p
    unit: minute
    total: 100
    remaining: 100
    effective_from: "2023-11-10T11:30:00+08:00"
    expires_at: "2024-11-10T00:00:00+08:00"
    covers:
      transcoding: {H264.HD: 1}
"""


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("late", [False, True])
def test_a_plan_that_comes_while_the_run_goes_on_is_refused(
    late: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mps_bill.ask import all_accounts
    from mps_bill.settlement import save

    name = "check_accounts" if late else "meter_accounts"
    module = save if late else all_accounts
    real = getattr(module, name)

    def slow(*given: Any, **more: Any) -> Any:
        done = list(real(*given, **more)) if late else real(*given, **more)
        path = Path("accounts", "b.yaml")
        path.write_text(path.read_text() + PLAN)
        return done

    monkeypatch.setattr(module, name, slow)
    assert _settle("--in-place") == 3
    err = capsys.readouterr().err
    assert "b.yaml: it was changed while this run went on, and has another plan now; run again" in err
    texts = _texts()
    assert "resource_plans" in texts["b.yaml"]
    assert ("9.35" in texts["a.yaml"]) == late
    monkeypatch.setattr(module, name, real)
    assert _settle("--in-place") == 0


@pytest.mark.usefixtures("place")
def test_bill_says_where_the_one_account_is_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["bill", "usage.csv", "--prices", "sheet.yaml"]
    refusal = (
        "accounts/a.yaml is one account, and the usage belongs to many; give a folder with a file ID.yaml for each"
    )
    assert run([*words, "--account", "accounts/a.yaml"]) == 2
    assert f"{refusal}\n" in capsys.readouterr().err
    Path("mps-bill.yaml").write_text("format: csv\naccount: accounts/a.yaml\n")
    assert run(words) == 2
    default = "this is the default from {}; --account takes precedence over it"
    assert f"{refusal} ({default.format('mps-bill.yaml:2:10')})" in capsys.readouterr().err
    assert run([*words, "--account", "accounts"]) == 0
    monkeypatch.setenv("MPS_BILL_ACCOUNT", "accounts/a.yaml")
    assert run(words) == 2
    assert f"({default.format('MPS_BILL_ACCOUNT')})" in capsys.readouterr().err
