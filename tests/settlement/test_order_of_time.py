"""Products and sheets with other lags, and months that are stated already: nothing is paid in the past or out of order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from tests.kit import sheet_of

USAGE = "job_id,completed_at,region,item,spec,quantity,unit\n"


class World:
    """A folder with sheets, usage and accounts, and the program run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def sheet(self, name: str, *, item: str = "video", price: str = "0.1", **head: str) -> str:
        code = f'  {item}: {{name: An item, family: related, unit: minute, prices: {{one: {{"*": {price}}}}}}}\n'
        return self.write(name, sheet_of(code, currency="CNY", **head))

    def usage(self, name: str, *rows: str) -> str:
        cells = [f"j{number}-{name},{row}" for number, row in enumerate(rows)]
        return self.write(name, USAGE + "".join(f"{row}\n" for row in cells))

    def account(self, text: str) -> str:
        return self.write("account.yaml", f"format: mps-bill/account/1\nid: a\ncurrency: CNY\n{text}")

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def run(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        code = run([*arguments, "--format", "json"])
        printed = self.capsys.readouterr()
        return code, json.loads(printed.out) if printed.out else {}, printed.err


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys)


def test_a_bill_before_the_time_of_the_account_is_paid_as_of_now_with_a_note(world: World) -> None:
    hourly = world.sheet("mps.yaml")
    daily = world.sheet("kms.yaml", product="kms", cycle="day", issue_after="12h", item="keys")
    first = world.usage(
        "first.csv",
        "2023-11-10T11:00:00+08:00,cn-shanghai,video,one,100,minute",
        "2023-11-10T11:00:00+08:00,cn-shanghai,keys,one,100,minute",
    )
    second = world.usage("second.csv", "2023-11-11T01:00:00+08:00,cn-shanghai,video,one,100,minute")
    expired = "{id: v, face_value: 5, effective_from: 2023-11-11T00:00:00+08:00, expires_at: 2023-11-11T06:00:00+08:00}"
    account = world.account(f"balance: 0\nvouchers: [{expired}]\n")
    saved, after = str(world.folder / "saved.yaml"), str(world.folder / "after.yaml")
    prices = ("--prices", hourly, "--prices", daily)
    assert world.run("settle", first, *prices, "--account", account, "--save", saved)[0] == 0
    code, result, said = world.run("settle", second, *prices, "--account", saved, "--save", after)
    assert code == 0
    assert "1 bill was issued before the account's current time" in said
    # The voucher was valid at 03:00, but the account has reached 12:00.
    assert [bill["outstanding"] for bill in result["bills"]] == ["10"]
    code, result, _ = world.run("settle", second, *prices, "--account", after)
    assert (code, result["control_totals"]["rows_late"]) == (0, 1)


def test_a_later_cycle_never_overtakes_an_earlier_one(world: World) -> None:
    tiers = "{tiers: graduated, per: month, up_to: {10: 0.3, rest: 0.1}}"
    slow = world.sheet("slow.yaml", issue_after="1d", price=tiers)
    fast = world.sheet("fast.yaml", effective_from="2023-11-10T12:00:00+08:00", price=tiers)
    usage = world.usage(
        "usage.csv",
        "2023-11-10T11:10:00+08:00,cn-shanghai,video,one,30,minute",
        "2023-11-10T12:10:00+08:00,cn-shanghai,video,one,30,minute",
    )
    _, result, _ = world.run("bill", usage, "--prices", slow, "--prices", fast)
    assert [bill["payable"] for bill in result["bills"]] == ["5", "3"]
    issued = [bill["issued_at"] for bill in result["bills"]]
    assert issued == ["2023-11-11T12:00:00+08:00", "2023-11-11T12:00:00+08:00"]


def test_late_usage_of_a_stated_month_goes_into_the_next_statement(world: World) -> None:
    prices = ("--prices", world.sheet("monthly.yaml", settlement="monthly", price="0.0333333333"))
    november = world.usage("november.csv", "2023-11-30T23:10:00+08:00,cn-shanghai,video,one,10,minute")
    december = world.usage("december.csv", "2023-12-01T00:10:00+08:00,cn-shanghai,video,one,10,minute")
    late = world.usage("late.csv", "2023-11-30T22:10:00+08:00,cn-shanghai,video,one,10,minute")
    account = world.account("balance: 10\n")
    one, two, three = (str(world.folder / name) for name in ("one.yaml", "two.yaml", "three.yaml"))
    assert world.run("settle", november, *prices, "--account", account, "--save", one)[0] == 0
    assert world.run("settle", december, *prices, "--account", one, "--save", two)[0] == 0
    code, result, _ = world.run("settle", late, *prices, "--account", two, "--save", three, "--charge-late")
    assert code == 0
    # November was rounded and paid once; the correction is frozen with December.
    assert result["account"]["balance"] == "9.67"
    assert Path(three).read_text().count("month: 2023-12, items: {video: 0.666666666}") == 1


def test_bill_and_settle_round_a_month_by_the_same_sheet(world: World) -> None:
    prices = (
        "--prices",
        world.sheet("down.yaml", settlement="monthly", price="0.0333333333"),
        "--prices",
        world.sheet(
            "up.yaml", settlement="monthly", price="0.0333333333", mode="up", effective_from="2023-11-30T00:00:00+08:00"
        ),
    )
    usage = world.usage(
        "usage.csv",
        "2023-11-20T10:10:00+08:00,cn-shanghai,video,one,10,minute",
        "2023-12-01T10:10:00+08:00,cn-shanghai,video,one,10,minute",
    )
    _, billed, _ = world.run("bill", usage, *prices)
    november = next(month for month in billed["months"] if month["month"] == "2023-11")
    _, settled, _ = world.run("settle", usage, *prices, "--account", world.account("balance: 10\n"))
    assert november["payable"] == "0.34"
    assert settled["account"]["balance"] == "9.66"


@pytest.mark.parametrize("monthly", ["a-first", "z-last"])
def test_a_bill_and_a_statement_of_one_second_stay_outstanding_in_their_order(world: World, monthly: str) -> None:
    """The month's last hour of one product and the statement of another are issued at once; the bill is the older debt."""
    prices = (
        "--prices",
        world.sheet("mps.yaml"),
        "--prices",
        world.sheet("monthly.yaml", product=monthly, settlement="monthly", item="keys"),
    )
    usage = world.usage(
        "usage.csv",
        "2023-11-30T23:10:00+08:00,cn-shanghai,video,one,10,minute",
        "2023-11-20T10:10:00+08:00,cn-shanghai,keys,one,20,minute",
    )
    saved, after = str(world.folder / "saved.yaml"), str(world.folder / "after.yaml")
    code, result, said = world.run(
        "settle", usage, *prices, "--account", world.account("balance: 0\n"), "--save", saved
    )
    assert (code, result["account"]["outstanding"]) == (0, "3"), said
    debts = [(debt["product"], debt["month"]) for debt in result["overdue"]]
    assert debts == [("mps", None), (monthly, "2023-11")]
    # Read again, a payment reaches the bill first.
    paid = Path(saved).read_text() + "top_ups:\n  - {at: 2023-12-01T02:00:00+08:00, amount: 1.50}\n"
    later = ("--as-of", "2023-12-01T02:00:00+08:00")
    code, result, _ = world.run(
        "settle", usage, *prices, "--account", world.write("paid.yaml", paid), *later, "--save", after
    )
    (top_up,) = result["top_ups"]
    repaid = [(debt["product"], debt["month"], debt["amount"]) for debt in top_up["repaid"]]
    assert (code, repaid) == (0, [("mps", None, "1"), (monthly, "2023-11", "0.5")])
