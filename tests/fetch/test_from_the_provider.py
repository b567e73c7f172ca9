"""The commands of docs/from-the-provider.md, run against a provider with a month of several thousand jobs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.cli import run
from tests.conftest import ROOT
from tests.fetch import provider_month as month
from tests.fetch.provider_server import FakeProvider, provider

pytest.importorskip("alibabacloud_tea_openapi", reason="the extra cloud is not installed")

JOBS = month.month_of_jobs(3000)
BILLS = month.hourly_bills(JOBS)
COMMANDS = re.findall(r"^\$ mps-bill (.*)$", (ROOT / "docs" / "from-the-provider.md").read_text("utf-8"), re.MULTILINE)


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    actions = {
        "ListJob": month.list_job(JOBS),
        "QueryBill": month.query_bill(BILLS),
        "DescribeInstanceBill": month.describe_instance_bill(BILLS),
    }
    with provider(actions) as found:
        yield found


def run_page(fake: FakeProvider, *, codes: list[int]) -> None:
    got = []
    for command in COMMANDS:
        words = shlex.split(command)
        got.append(run([*words, *(["--endpoint", fake.address] if words[0] == "fetch" else []), "-q"]))
    assert got == codes


def test_a_month_is_fetched_and_equal(fake: FakeProvider) -> None:
    assert [command.split()[0] for command in COMMANDS] == ["fetch", "fetch", "reconcile", "fetch", "reconcile"]
    assert len(BILLS) > 500
    run_page(fake, codes=[0] * 5)
    assert run(["reconcile", "jobs.jsonl", "-p", "mps-china", "--bill", "bills.jsonl", "-o", "month.json", "-q"]) == 0
    document = json.loads(Path("month.json").read_text("utf-8"))
    whole = sum((month.payable(lines) for lines in BILLS.values()), Decimal(0))
    assert Decimal(document["total"]["ours"]) == Decimal(document["total"]["theirs"]) == whole
    assert document["outside_months"]["bills"] > 10
    assert Path("difference.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_one_wrong_cent_in_the_month_is_found(fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    hour = sorted(BILLS)[100]
    (spec, length, amount), *others = BILLS[hour]
    wrong = {**BILLS, hour: [(spec, length, amount + 1), *others]}
    fake.actions["QueryBill"] = month.query_bill(wrong)
    fake.actions["DescribeInstanceBill"] = month.describe_instance_bill(wrong)
    run_page(fake, codes=[0, 0, 1, 0, 1])
    capsys.readouterr()
    run(["reconcile", "jobs.jsonl", "-p", "mps-china", "--bill", "items.jsonl", "-f", "csv", "-q"])
    out = capsys.readouterr().out
    assert f"{hour:%Y-%m-%d}" in out
    assert spec in out
    assert len(out.splitlines()) == 2
