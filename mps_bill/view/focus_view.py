"""Bills as FOCUS 1.2 CSV: charges for usage, for covered usage, and for rounding, whose `BilledCost` sums to payable,
and credits for vouchers, which reduce it to what is left to pay. The mapping of our terms to the specification's comes first.

Source of the columns and their rules: FinOps Open Cost and Usage Specification 1.2, which adds 14 columns to those of 1.0, and
1.3 for the names of providers; https://focus.finops.org/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING

from mps_bill.core.decimals import EXACT, ZERO, plain, strip_zeros
from mps_bill.core.laws import law
from mps_bill.core.times import clock, offset_text, utc_text
from mps_bill.core.units import Unit, in_unit
from mps_bill.price_sheet.regions import NAMES
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.words import with_unit
from mps_bill.rating.bills import Bill, StatementMonth
from mps_bill.rating.contract import Discount
from mps_bill.rating.lines import LineItem
from mps_bill.view.columns import Column, Quantity, Record
from mps_bill.view.tables import Records

if TYPE_CHECKING:
    # Bills without an account do not load the settlement package.
    from mps_bill.settlement.sources.payment_source import QuantityDeduction

PROVIDER = "Alibaba Cloud"
ACCOUNT_TYPE = "Alibaba Cloud account"
#: A bill without an account needs one here, because the specification does not allow an empty account.
NO_ACCOUNT = "unassigned"

#: The columns of 1.2 and the two provider names of 1.3, in alphabetical order as in the specification.
COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType",
    "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "CapacityReservationId", "CapacityReservationStatus",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity",
    "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "HostProviderName", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceProviderName", "ServiceSubcategory",
    "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip

#: Product -> category and subcategory of the specification, name of the service.
SERVICES = {
    "mps": ("Media", "Other (Media)", "ApsaraVideo Media Processing"),
    "oss": ("Storage", "Object Storage", "Object Storage Service"),
    "cdn": ("Networking", "Content Delivery", "Alibaba Cloud CDN"),
    "kms": ("Security", "Secret Management", "Key Management Service"),
    "mns": ("Integration", "Messaging", "Message Service"),
}
#: The category and subcategory of any other product.
OTHER_SERVICE = ("Other", "Other (Other)")

#: The provider's GB has 1024 MB, which the specification calls a GiB.
_BINARY = {"MB": "MiB", "GB": "GiB", "TB": "TiB"}

#: The covered parts of the lines of a bill: line number -> parts.
Coverage = Mapping[int, Sequence["QuantityDeduction"]]
#: Payments by vouchers: the name of the voucher and the amount.
Credits = Sequence[tuple[str, Decimal]]


def unit_name(unit: Unit) -> str:
    """Return the unit in the plural, as the specification writes it: `Minutes`, `GiB-Hours`."""
    return "-".join(_BINARY.get(part) or f"{part.capitalize()}s" for part in unit.name.split("-"))


def focus_records(
    charged: Iterable[tuple[Bill, Coverage, Credits]],
    months: Iterable[tuple[StatementMonth, Credits]],
    currency: str,
    account: str | None,
) -> Records:
    """Return the charges and credits of bills and monthly statements. Pending bills are on no invoice yet and are left out."""
    issuer: Record = {
        "BillingAccountId": account or NO_ACCOUNT,
        "BillingAccountType": ACCOUNT_TYPE,
        "BillingCurrency": currency,
        "HostProviderName": PROVIDER,
        "InvoiceIssuerName": PROVIDER,
        "PricingCurrency": currency,
        "ProviderName": PROVIDER,
        "PublisherName": PROVIDER,
        "ServiceProviderName": PROVIDER,
    }
    of_bills = ({**issuer, **row} for one in charged for row in _bill_rows(*one, currency))
    of_months = ({**issuer, **row} for one in months for row in _month_rows(*one))
    # List prices keep their digits; the type of every other value decides how it is shown.
    columns = tuple(Column(key, "price" if key.endswith("Price") else "amount") for key in COLUMNS)
    return Records(columns, chain(of_bills, of_months))


def _bill_rows(bill: Bill, coverage: Coverage, credits: Credits, currency: str) -> Iterator[Record]:
    sheet, cycle = bill.cycle.sheet, bill.cycle
    calendar = sheet.billing.calendar
    head = {**_service(sheet), **_invoiced(bill), **_period("Charge", cycle.start, cycle.end)}
    for number, line in enumerate(bill.lines):
        parts = coverage.get(number, ())
        law(sum(part.micros for part in parts) == line.covered_micros, "every covered part has its source")
        for part in parts:
            row = {**head, **_covered(line, part, currency)}
            # A row that corrects an earlier month may not have the quantity that it takes from a commitment.
            if "ChargeClass" not in head:
                row["CommitmentDiscountQuantity"] = part.taken
                row["CommitmentDiscountUnit"] = unit_name(part.unit)
            yield row
        if line.billed_micros or not parts:
            yield {**head, **_usage(line, currency)}
    hour = f"the bill of {clock(cycle.start, calendar.offset)} (UTC{offset_text(calendar.offset)})"
    yield from _of_whole(head, bill.amounts.rounding_adjustment, credits, hour)


def _month_rows(month: StatementMonth, credits: Credits) -> Iterator[Record]:
    calendar = month.sheet.billing.calendar
    bounds = calendar.month_start(month.month), calendar.month_end(month.month)
    head = {**_service(month.sheet), **_period("Billing", *bounds), **_period("Charge", *bounds)}
    yield from _of_whole(head, month.amounts.rounding_adjustment, credits, f"the statement of {month.month}")


def _of_whole(head: Record, adjustment: Decimal, credits: Credits, whole: str) -> Iterator[Record]:
    """Yield the rounding of a bill or statement, and as credits the vouchers that paid it, which the provider granted."""
    if adjustment:
        yield {**head, **_one_time("Adjustment", f"Rounding adjustment of {whole}", adjustment)}
    for name, amount in credits:
        yield {**head, **_one_time("Credit", f"{name} on {whole}", -amount)}


def _service(sheet: PriceSheet) -> Record:
    category, subcategory, name = SERVICES.get(sheet.product, (*OTHER_SERVICE, sheet.product))
    return {"ServiceCategory": category, "ServiceName": name, "ServiceSubcategory": subcategory}


def _invoiced(bill: Bill) -> Record:
    """Return the invoice month of a bill: the month of its cycle or, for a correction, of the cycle whose bill is issued with
    it. Only a correction of an earlier month counts as a correction in the specification."""
    cycle = bill.cycle
    billing = cycle.sheet.billing
    own = invoiced = billing.calendar.month(cycle.start)
    if cycle.correction_at is not None:
        invoiced = billing.calendar.month(cycle.correction_at - billing.issue_after - 1)
    # The statement month begins at midnight of the billing clock.
    row = _period("Billing", billing.calendar.month_start(invoiced), billing.calendar.month_end(invoiced))
    return row if invoiced == own else {**row, "ChargeClass": "Correction"}


def _period(of: str, start: int, end: int) -> Record:
    return {f"{of}PeriodStart": utc_text(start), f"{of}PeriodEnd": utc_text(end)}


def _usage(line: LineItem, currency: str) -> Record:
    """Return the charge for billed usage, with the line's exact amount. If the quantity has more than ten decimals, the product
    of the quantity and price shown differs from it after the tenth."""
    unit = line.item.unit
    price = _price_words(line, line.billed_micros, currency)
    shown = with_unit(plain(in_unit(line.billed_micros, unit)), unit)
    return {
        **_sku(line, line.billed_micros),
        "ChargeDescription": f"{_named(line)}: {shown} at {price}",
        "PricingCategory": "Standard",
        **_costs(line.amount, line.net, line.net),
    }


def _covered(line: LineItem, part: QuantityDeduction, currency: str) -> Record:
    """Return the charge for covered usage, which costs nothing. The price of a plan itself is in no input file, so
    `EffectiveCost` has no share of it."""
    unit = line.item.unit
    listed = line.listed(part.micros)
    shown = with_unit(plain(in_unit(part.micros, unit)), unit)
    price = _price_words(line, part.micros, currency)
    return {
        **_sku(line, part.micros),
        "ChargeDescription": f"{_named(line)}: {shown} covered by {part.source.words} {part.id}, at list {price}",
        "PricingCategory": "Committed",
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": part.id,
        "CommitmentDiscountName": part.name,
        "CommitmentDiscountStatus": "Used",
        "CommitmentDiscountType": part.source.title,
        **_costs(listed, listed - (line.discounted_by.of(listed) if line.discounted_by else ZERO), ZERO),
    }


def _price_words(line: LineItem, micros: int, currency: str) -> str:
    counted = line.charge.price.counted(micros)
    return f"{plain(line.unit_price)} {currency} per {counted[1] if counted else line.item.unit.name}"


def _sku(line: LineItem, micros: int) -> Record:
    """Return the usage and its unit price, the same for billed and covered quantities."""
    unit = line.item.unit
    quantity, price = Quantity(micros, unit), line.unit_price
    counted = line.charge.price.counted(micros)
    contracted = _contracted(price, line.discounted_by)
    tier = f"/{line.tier}" if line.tier else ""
    details = {"x_Item": line.item.code, "x_Spec": line.spec, **({"x_Tier": line.tier} if line.tier else {})}
    sku = f"{line.charge.sheet.product}/{line.item.code}/{line.spec}"
    return {
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": quantity,
        "ConsumedUnit": unit_name(unit),
        "PricingQuantity": counted[0] if counted else quantity,
        "PricingUnit": counted[1] if counted else unit_name(unit),
        "ListUnitPrice": price,
        "ContractedUnitPrice": contracted,
        "PricingCurrencyListUnitPrice": price,
        "PricingCurrencyContractedUnitPrice": contracted,
        "RegionId": line.region,
        "RegionName": NAMES.get(line.region, line.region),
        "SkuId": sku,
        "SkuMeter": line.item.name,
        "SkuPriceDetails": json.dumps(details, ensure_ascii=False),
        "SkuPriceId": f"{line.charge.sheet.ref}/{line.item.code}/{line.spec}/{line.region}{tier}",
    }


def _one_time(category: str, description: str, amount: Decimal) -> Record:
    return {
        "ChargeCategory": category,
        "ChargeFrequency": "One-Time",
        "ChargeDescription": description,
        **_costs(amount, amount, amount),
    }


def _contracted(price: Decimal, discount: Discount | None) -> Decimal:
    """Return the exact unit price after the discount: 0.0651 less 8 % is 0.059892."""
    if discount is None:
        return price
    return strip_zeros(EXACT.subtract(price, EXACT.multiply(price, discount.percent).scaleb(-2, EXACT)))


def _costs(listed: Decimal, contracted: Decimal, billed: Decimal) -> Record:
    return {
        "ListCost": listed,
        "ContractedCost": contracted,
        "BilledCost": billed,
        "EffectiveCost": billed,
        "PricingCurrencyEffectiveCost": billed,
    }


def _named(line: LineItem) -> str:
    tier = f", tier {line.tier}" if line.tier else ""
    return f"{line.item.name}, {line.spec}{tier}, {line.region}"
