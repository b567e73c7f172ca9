"""A fourth kind of price needs its own file and a line in the list, as ARCHITECTURE.md says, and works everywhere."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from tests.kit import SHEET, usage_of, usage_text
from tests.package_copy import change, copy_package, mps_bill

PACKAGES = SHEET.replace('Audio: {"*": 0.0056}', 'Audio: {"*": {package: 10, each: 5.50}}')
USAGE = usage_text([usage_of("audio", spec="Audio", quantity="20.01")])
#: 20.01 minutes start three packages of 10.
LIST_AMOUNT = "16.5"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package with the new kind, and input files."""
    folder = tmp_path_factory.mktemp("fourth")
    room = copy_package(folder) / "price_sheet" / "price_kinds"
    shutil.copy(Path(__file__).parent / "package_price.py", room / "package.py")
    line = "PRICE_KINDS: tuple[type[Price], ...] = (FlatPrice, "
    added = "from mps_bill.price_sheet.price_kinds.package import PackagePrice\n\n"
    change(room / "__init__.py", line, f"{added}{line}PackagePrice, ")
    (folder / "flat.yaml").write_text(SHEET)
    (folder / "packages.yaml").write_text(PACKAGES)
    (folder / "usage.csv").write_text(USAGE)
    return folder


BILL = ("bill", "usage.csv", "--prices", "packages.yaml")


def test_it_is_billed(world: Path) -> None:
    (line,) = json.loads(mps_bill(world, *BILL, "--format", "json"))["bills"][0]["lines"]
    assert (line["quantity"], line["tier"], line["unit_price"], line["amount"]) == (
        "20.01", "per 10", "5.50", LIST_AMOUNT
    )  # fmt: skip
    (row,) = [row for row in csv.DictReader(io.StringIO(mps_bill(world, *BILL, "--format", "csv"))) if row["item"]]
    assert (row["quantity"], row["tier"], row["unit_price"], row["amount"]) == ("20.01", "per 10", "5.50", LIST_AMOUNT)
    table = mps_bill(world, *BILL)
    assert [text.split() for text in table.splitlines() if "Audio (per 10)" in text] == [
        ["Audio", "(per", "10)", "cn-shanghai", "1", "20.01", "5.50", "16.50"]
    ]


def test_its_cost_in_focus_is_quantity_times_price(world: Path) -> None:
    (row,) = [
        row
        for row in csv.DictReader(io.StringIO(mps_bill(world, *BILL, "--format", "focus")))
        if row["ChargeCategory"] == "Usage"
    ]
    assert (row["PricingQuantity"], row["PricingUnit"], row["ListUnitPrice"], row["ListCost"]) == (
        "3", "package of 10 minute", "5.50", LIST_AMOUNT
    )  # fmt: skip


def test_it_is_explained(world: Path) -> None:
    steps = json.loads(
        mps_bill(world, "explain", "usage.csv", "--prices", "packages.yaml", "--job", "j-1", "--format", "json")
    )["records"][0]["steps"]
    said = {step["step"]: step["text"] for step in steps}
    assert said["Price"].startswith('5.50 USD for every 10 minute begun, for "*", every region (packages.yaml:')
    assert said["Line"] == "3 package of 10 minute x 5.50 USD = 16.5 USD"


def test_it_is_shown(world: Path) -> None:
    show = ("prices", "show", "packages.yaml", "--item", "audio")
    assert "every 10 begun" in mps_bill(world, *show)
    (price,) = json.loads(mps_bill(world, *show, "--format", "json"))["sheets"][0]["prices"]
    assert (price["package"], price["each"]) == ("10", "5.50")
    (row,) = csv.DictReader(io.StringIO(mps_bill(world, *show, "--format", "csv")))
    assert (row["tiers"], row["up_to"], row["unit_price"]) == ("package", "10", "5.50")


def test_it_is_compared_by_the_cost_of_a_minute(world: Path) -> None:
    diff = ("prices", "diff", "flat.yaml", "packages.yaml", "--format", "json")
    (item,) = json.loads(mps_bill(world, *diff, code=1))["items"]
    assert item["changes"] == [
        {"what": "price of Audio in every other region", "old": "one price", "new": "packages of 10"}
    ]
    (price,) = item["prices"]
    # 0.55 a minute after 0.0056 a minute.
    assert (price["old"], price["new"], price["percent"]) == ("0.0056", "5.50", "~+9721.43 %")


def test_it_is_checked_and_has_a_schema(world: Path) -> None:
    check = ("--today", "2023-12-01", "--ignore", "P9")
    assert mps_bill(world, "prices", "check", "packages.yaml", *check) == ""
    (world / "wrong.yaml").write_text(PACKAGES.replace("each: 5.50", "eech: 5.50"))
    printed = mps_bill(world, "prices", "check", "wrong.yaml", *check, code=1)
    assert "in package price" in printed
    schema = json.loads(mps_bill(world, "prices", "schema"))
    prices = schema["properties"]["items"]["additionalProperties"]["properties"]["prices"]
    forms = prices["additionalProperties"]["additionalProperties"]["anyOf"]
    assert sorted(form["required"] for form in forms[1]["anyOf"]) == [["package", "each"], ["tiers", "per", "up_to"]]


def test_its_history_is_by_the_cost_of_a_minute(world: Path) -> None:
    """Packages of twice the size at the same price cost half as much per minute."""
    folder = world / "versions"
    folder.mkdir()
    (folder / "first.yaml").write_text(PACKAGES)
    later = PACKAGES.replace("effective_from: 2023", "effective_from: 2024").replace("package: 10,", "package: 20,")
    (folder / "later.yaml").write_text(later)
    history = ("prices", "history", "test", "versions", "--item", "audio", "--format", "json")
    (price,) = json.loads(mps_bill(world, *history))["prices"]
    assert [one["change_percent"] for one in price["history"]] == [None, "-50"]
