"""FOCUS 1.2 rows: columns, rules about null, sums. `test_focus_validator.py` runs the specification's own validator."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.times import parse_second
from mps_bill.core.units import UNITS, in_unit
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import Settling, bill_usage, settle_usage
from mps_bill.rating.bills import sum_amounts
from mps_bill.rating.contract import Contract, Discount
from mps_bill.view import focus_view
from mps_bill.view.bill_view import BillView
from mps_bill.view.settle_view import SettleView
from tests.kit import SHEET, billed, book, row, source, usage_text
from tests.render.runs import bills_of, every_run, months_of, sample_day, settled, text


def _words(text: str) -> list[str]:
    return text.split()


#: The columns of 1.0 as the specification lists them in its chapter 2, alphabetically.
OF_1_0 = _words("""
AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart
ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart CommitmentDiscountCategory
CommitmentDiscountId CommitmentDiscountName CommitmentDiscountStatus CommitmentDiscountType ConsumedQuantity ConsumedUnit
ContractedCost ContractedUnitPrice EffectiveCost InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingQuantity
PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName
SkuId SkuPriceId SubAccountId SubAccountName Tags
""")
#: The additional columns of 1.2, and the names of providers of 1.3.
ADDED = _words("""
BillingAccountType CapacityReservationId CapacityReservationStatus CommitmentDiscountQuantity CommitmentDiscountUnit InvoiceId
PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice
ServiceSubcategory SkuMeter SkuPriceDetails SubAccountType HostProviderName ServiceProviderName
""")
COLUMNS = sorted([*OF_1_0, *ADDED])
NEVER_NULL = _words("""
BilledCost BillingAccountId BillingAccountType BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory
ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost HostProviderName
InvoiceIssuerName ListCost PricingCurrency PricingCurrencyEffectiveCost ProviderName PublisherName ServiceCategory ServiceName
ServiceProviderName ServiceSubcategory
""")
#: Columns that only usage charges have.
OF_USAGE = _words("""
ConsumedQuantity ConsumedUnit ContractedUnitPrice ListUnitPrice PricingCategory PricingCurrencyContractedUnitPrice
PricingCurrencyListUnitPrice PricingQuantity PricingUnit RegionId RegionName SkuId SkuMeter SkuPriceDetails SkuPriceId
""")
COMMITMENT = [name for name in COLUMNS if name.startswith("CommitmentDiscount")]
#: A line of a bill has no resource, zone, sub-account or tag, nothing is reserved, and invoices have no number here.
ALWAYS_NULL = _words("""
AvailabilityZone BillingAccountName CapacityReservationId CapacityReservationStatus InvoiceId ResourceId ResourceName
ResourceType SubAccountId SubAccountName SubAccountType Tags
""")
RUNS = ("sample day", "bill", "bill, monthly", "bill, pending", "settle", "settle, monthly", "nothing")


def rows_of(data: BillView | SettleView) -> list[dict[str, str]]:
    stream = io.StringIO(text(data, "focus"))
    reader = csv.DictReader(stream)
    rows = list(reader)
    assert list(reader.fieldnames or ()) == COLUMNS
    return rows


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(line[column]) for line in rows), Decimal(0))


@pytest.mark.parametrize("name", RUNS)
def test_billed_cost_adds_up_to_payable(name: str, tmp_path: Path) -> None:
    data = every_run(tmp_path)[name]
    rows = rows_of(data)
    of_run = sum_amounts(bills_of(data), months_of(data))
    charges = [line for line in rows if line["ChargeCategory"] != "Credit"]
    assert total(charges, "BilledCost") == of_run.payable
    adjustments = [line for line in rows if line["ChargeCategory"] == "Adjustment"]
    assert total(adjustments, "BilledCost") == of_run.rounding_adjustment


@pytest.mark.parametrize(
    ("name", "credits"),
    [
        (
            "settle",
            [("-0.38", "bill of 2023-11-10 11:00 (UTC+08:00)"), ("-0.12", "bill of 2023-11-10 13:00 (UTC+08:00)")],
        ),
        ("settle, monthly", [("-0.5", "statement of 2023-11")]),
    ],
)
def test_payments_by_vouchers_are_credits_and_others_are_not(
    name: str, credits: list[tuple[str, str]], tmp_path: Path
) -> None:
    data = every_run(tmp_path)[name]
    assert isinstance(data, SettleView)
    found = [line for line in rows_of(data) if line["ChargeCategory"] == "Credit"]
    wanted = [(amount, f"Voucher v-1 on the {whole}") for amount, whole in credits]
    assert [(line["BilledCost"], line["ChargeDescription"]) for line in found] == wanted
    assert total(found, "BilledCost") == -data.run.totals.paid["voucher"]
    assert data.run.totals.paid["balance"], "the balance pays, too"
    assert {line["ServiceName"] for line in found} == {"ApsaraVideo Media Processing"}


@pytest.mark.parametrize("name", RUNS)
def test_columns_that_must_or_must_not_be_null(name: str, tmp_path: Path) -> None:
    for line in rows_of(every_run(tmp_path)[name]):
        where = line["ChargeDescription"]
        filled = {column for column, value in line.items() if value}
        assert filled >= set(NEVER_NULL), where
        assert not filled & set(ALWAYS_NULL), where
        is_usage = line["ChargeCategory"] == "Usage"
        assert line["ChargeCategory"] in ("Usage", "Adjustment", "Credit")
        assert filled & set(OF_USAGE) == (set(OF_USAGE) if is_usage else set()), where
        assert filled & set(COMMITMENT) == (set(COMMITMENT) if line["CommitmentDiscountId"] else set()), where
        assert (line["PricingCategory"] == "Committed") == bool(line["CommitmentDiscountId"]), where
        assert not line["ChargeClass"], "no correction here"
        if not is_usage:
            costs = {value for column, value in line.items() if column.endswith("Cost")}
            assert len(costs) == 1, where


@pytest.mark.parametrize("name", RUNS)
def test_formats(name: str, tmp_path: Path) -> None:
    for line in rows_of(every_run(tmp_path)[name]):
        for column, value in line.items():
            if column.endswith(("PeriodStart", "PeriodEnd")):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)
            if value and column.endswith(("Cost", "Price", "Quantity")):
                assert re.fullmatch(r"-?\d+(\.\d+)?", value), (column, value)
        assert (
            line["BillingPeriodStart"]
            <= line["ChargePeriodStart"]
            < line["ChargePeriodEnd"]
            <= line["BillingPeriodEnd"]
        )


@pytest.mark.parametrize("name", RUNS)
def test_cost_is_quantity_times_unit_price(name: str, tmp_path: Path) -> None:
    """To the tenth decimal, at which the cost and an endless quantity are rounded."""
    for line in rows_of(every_run(tmp_path)[name]):
        if line["ListUnitPrice"]:
            price = Decimal(line["ListUnitPrice"])
            off = abs(price * Decimal(line["PricingQuantity"]) - Decimal(line["ListCost"]))
            assert off <= Decimal("5e-11") * (1 + price), line["ChargeDescription"]
            assert line["ListCost"] == line["ContractedCost"]
            assert line["ListUnitPrice"] == line["ContractedUnitPrice"]
            assert line["PricingCurrencyListUnitPrice"] == line["ListUnitPrice"]
            assert line["PricingCurrencyContractedUnitPrice"] == line["ContractedUnitPrice"]
        assert line["PricingCurrencyEffectiveCost"] == line["EffectiveCost"]
        assert line["PricingCurrency"] == line["BillingCurrency"]


def test_quantities_of_paid_and_covered_usage_are_those_of_the_lines(tmp_path: Path) -> None:
    run = settled(tmp_path)
    rows = rows_of(SettleView(run))
    lines = [line for settlement in run.settled.settlements for line in settlement.bill.lines]
    for sku in {line["SkuId"] for line in rows if line["SkuId"]}:
        _, item, spec = sku.split("/")
        own = [line for line in lines if (line.item.code, line.spec) == (item, spec)]
        used = sum((in_unit(line.micros, line.item.unit) for line in own), Decimal(0))
        assert total([line for line in rows if line["SkuId"] == sku], "ConsumedQuantity") == used


def test_the_usage_that_each_plan_covers_is_a_row(tmp_path: Path) -> None:
    covered = [line for line in rows_of(SettleView(settled(tmp_path))) if line["CommitmentDiscountId"]]
    wanted = {
        "BilledCost": "0",
        "EffectiveCost": "0",
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountStatus": "Used",
        "CommitmentDiscountType": "Resource plan",
        "ChargeCategory": "Usage",
        "BillingAccountId": "studio-a",
    }
    assert [{key: line[key] for key in wanted} for line in covered] == [wanted, wanted]
    told = [(line["CommitmentDiscountId"], line["CommitmentDiscountName"], line["PricingQuantity"]) for line in covered]
    assert told == [("rp-1", "'=Minutes", "33.33"), ("rp-2", "Later minutes", "0.83")]
    assert [line["CommitmentDiscountQuantity"] for line in covered] == ["99.99", "2.49"], (
        "the plan gives 3 minutes for one"
    )
    assert {line["CommitmentDiscountUnit"] for line in covered} == {"Minutes"}
    assert covered[0]["ListCost"] == "2.169783", "33.33 minutes at 0.0651"
    assert covered[0]["ChargePeriodStart"] == "2023-11-10T03:00:00Z"


def test_a_correction_of_an_earlier_month_is_one_of_this_month(tmp_path: Path) -> None:
    options = MeterOptions(engine="python")
    december = row(job_id="d-1", completed_at="2023-12-01T00:30:00+08:00")
    before = settled(tmp_path, usage=usage_text([december])).settled.closing
    late = [
        row(job_id="l-1", completed_at="2023-11-30T23:30:00+08:00"),
        row(job_id="l-2", completed_at="2023-12-01T00:40:00+08:00", region="cn-beijing"),
    ]
    run = settle_usage(
        [source(tmp_path / "late.csv", usage_text(late))], book(), options, before, Settling(charge_late=True)
    )
    rows = [line for line in rows_of(SettleView(run)) if line["ChargeCategory"] == "Usage"]
    told = [(line["ChargePeriodStart"], line["BillingPeriodStart"], line["ChargeClass"]) for line in rows]
    assert ("2023-11-30T15:00:00Z", "2023-11-30T16:00:00Z", "Correction") in told
    assert ("2023-11-30T16:00:00Z", "2023-11-30T16:00:00Z", "") in told


def test_the_account_can_be_named() -> None:
    assert {line["BillingAccountId"] for line in rows_of(BillView(sample_day(), account="1234567890"))} == {
        "1234567890"
    }
    assert {line["BillingAccountId"] for line in rows_of(BillView(sample_day()))} == {"unassigned"}


def test_pending_bills_are_on_no_invoice(tmp_path: Path) -> None:
    at = parse_second("2023-11-10T18:00:00+08:00")
    rows = rows_of(
        BillView(
            billed(tmp_path, usage_text([row(), row(job_id="j-9", completed_at="2023-11-10T17:20:00+08:00")]), as_of=at)
        )
    )
    assert {line["ChargePeriodStart"] for line in rows} == {"2023-11-10T03:00:00Z"}


def test_one_sku_price_is_one_price() -> None:
    prices: dict[str, set[tuple[str, str]]] = {}
    for line in rows_of(BillView(sample_day())):
        if line["SkuPriceId"]:
            prices.setdefault(line["SkuPriceId"], set()).add((line["ListUnitPrice"], line["SkuId"]))
    assert all(len(found) == 1 for found in prices.values())


def test_every_unit_and_every_known_region_has_its_word() -> None:
    binary = {"MB": "MiB", "GB": "GiB", "TB": "TiB", "GB-hour": "GiB-Hours", "GB-month": "GiB-Months"}
    others = ("Seconds", "Minutes", "Hours", "Days", "Frames", "Images", "Requests", "Messages")
    words = {name: focus_view.unit_name(unit) for name, unit in UNITS.items()}
    assert words == binary | {word.lower().removesuffix("s"): word for word in others}
    line = next(line for line in rows_of(BillView(sample_day())) if line["RegionId"] == "cn-shanghai")
    assert line["RegionName"] == "China (Shanghai)"


def test_an_unknown_product_has_the_category_other(tmp_path: Path) -> None:
    sheet = SHEET.replace("product: mps", "product: own")
    line = rows_of(BillView(billed(tmp_path, usage_text([row()]), sheet)))[0]
    assert (line["ServiceCategory"], line["ServiceName"]) == ("Other", "own")
    assert line["ServiceSubcategory"] == "Other (Other)"


def test_details_of_a_price_are_keys_and_values() -> None:
    lines = [line for line in rows_of(BillView(sample_day())) if line["SkuId"]]
    for line in lines:
        _, item, spec = line["SkuId"].split("/")
        details = json.loads(line["SkuPriceDetails"])
        assert (details["x_Item"], details["x_Spec"]) == (item, spec)
        assert line["SkuMeter"] == sample_day().bills[0].cycle.sheet.items[item].name


def test_a_discount_is_in_the_contracted_price_and_cost(tmp_path: Path) -> None:
    contract = Contract((Discount("d-1", Decimal("7.5")),))
    metered = [source(tmp_path / "usage.csv", usage_text([row(quantity="40")]))]
    run = bill_usage(metered, book(), MeterOptions(engine="python"), contract=contract)
    line = next(line for line in rows_of(BillView(run)) if line["ChargeCategory"] == "Usage")
    assert (line["ListUnitPrice"], line["ListCost"]) == ("0.0651", "2.604")
    assert (line["ContractedUnitPrice"], line["ContractedCost"]) == ("0.0602175", "2.4087")
    assert (line["BilledCost"], line["EffectiveCost"]) == ("2.4087", "2.4087")
