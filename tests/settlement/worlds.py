"""What tests of accounts build: cycles from quantities, plans and packs, accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mps_bill.ask.advise.packs import Pack, PackType, Purchase, Validity
from mps_bill.ask.advise.simulate import Outcome, Simulator
from mps_bill.core.diagnostics import InputRejected
from mps_bill.core.times import parse_second
from mps_bill.core.units import MICROS, UNITS
from mps_bill.metering.assign import Assignment
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Cycle, cycles
from mps_bill.rating.lines import TagShare, charge_for
from mps_bill.settlement.account import Account, TopUp
from mps_bill.settlement.account_reader import read_account
from mps_bill.settlement.sources.balance import Balance
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.settlement.sources.money_pots import MoneyPot
from mps_bill.settlement.sources.payment_source import Due
from mps_bill.settlement.sources.resource_plans import CoversFrom, ResourcePlan, ResourcePlans
from mps_bill.settlement.sources.stored_value_cards import StoredValueCards
from mps_bill.settlement.sources.vouchers import Vouchers
from mps_bill.settlement.waterfall import Cover, cover
from tests import kit

HOUR = 3600
OFFSET = 8 * HOUR

SHEET = kit.sheet_of(
    currency="CNY",
    items="""\
  video:
    name: Video
    family: transcoding
    unit: minute
    metering: {per: record, step: 0.01, rounding: half-up}
    prices:
      HD: {"*": 0.0651}
      SD: {"*": 0.0326}
  frames:
    name: Frames
    family: enhancement
    unit: frame
    prices:
      std: {"*": 0.005}
  review:
    name: Review
    family: video-ai
    unit: minute
    metering: {per: cycle, step: 1, rounding: down}
    prices:
      porn: {"*": {tiers: volume, per: month, up_to: {100: 0.1, rest: 0.07}}}
  traffic:
    name: Traffic
    family: related
    unit: GB
    prices:
      out: {"*": {tiers: graduated, per: month, up_to: {10: 0.5, 20: 0.25, rest: 0.125}}}
""",
)


def book(*texts: str) -> PriceBook:
    """The book of sheets given as text; without any, of `SHEET`."""
    return kit.book(*(texts or (SHEET,)))


def at(text: str) -> int:
    """`11-10 09` or `11-10 09:30` of 2023 in UTC+8, as seconds."""
    day, _, time = text.partition(" ")
    clock = time if ":" in time else f"{time or '00'}:00"
    return parse_second(f"2023-{day}T{clock}:00+08:00")


#: Hour, then (item, spec, region) -> quantity in the item's unit as text.
Usage = Mapping[int, Mapping[tuple[str, str, str], str]]


def covered_by(cycle: Cycle, *plans: ResourcePlan) -> Cover:
    """What plans cover of a cycle."""
    return cover(cycle, (ResourcePlans(plans),))


def hours(usage: Usage, prices: PriceBook | None = None) -> tuple[Cycle, ...]:
    """The cycles of usage, in the order of issue, with their lines in the order of the sheet."""
    prices = prices or book()
    charges = []
    for start, quantities in sorted(usage.items()):
        for (code, spec, region), quantity in sorted(quantities.items(), key=lambda pair: _rank(prices, *pair[0])):
            product = prices.product_of[code]
            sheet = prices.sheet_at(product, start)
            assert sheet
            item = sheet.items[code]
            micros = int(Decimal(quantity) * item.unit.factor * MICROS)
            cycle_start = prices.calendar(product).cycle_start(start)
            of = Assignment(sheet, item, spec, region, cycle_start)
            charges.append(charge_for(of, (TagShare((), micros, 1),), (), prices))
    charges.sort(key=lambda charge: (charge.cycle_start, charge.sheet.product))
    return cycles(charges, prices)


def _rank(prices: PriceBook, code: str, spec: str, region: str) -> tuple[int, int, str]:
    sheet = next(sheet for sheet in prices.sheets if code in sheet.items)
    return list(sheet.items).index(code), list(sheet.items[code].prices).index(spec), region


def video(quantity: str, spec: str = "HD", region: str = "cn-shanghai") -> dict[tuple[str, str, str], str]:
    return {("video", spec, region): quantity}


#: What plans and packs cover, where a test does not say it: item to spec to coefficient.
VIDEO = {"video": {"HD": "3", "SD": "1.5"}}


def _rates(covers: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Decimal]]:
    return {item: {spec: Decimal(rate) for spec, rate in specs.items()} for item, specs in covers.items()}


def plan(
    id_: str = "rp-1",
    remaining: str = "100",
    *,
    start: str = "11-01 00",
    end: str = "12-01 00",
    covers: Mapping[str, Mapping[str, str]] | None = None,
    regions: Sequence[str] | None = None,
    unit: str = "minute",
    covers_from: CoversFrom = "cycle",
) -> ResourcePlan:
    """A plan; usage by the hour says nothing of what completed when, so by default it covers whole cycles."""
    left = int(Decimal(remaining) * MICROS)
    rates = _rates(VIDEO if covers is None else covers)
    scope = None if regions is None else frozenset(regions)
    return ResourcePlan(id_, "", UNITS[unit], left, left, at(start), at(end), scope, rates, covers_from)


def plan_text(total: int, covers: str) -> str:
    """The lines of an account file for one plan, of these minutes, from November 2023 on."""
    return f"""\
resource_plans:
  - id: rp
    name: Plan
    unit: minute
    total: {total}
    effective_from: 2023-11-01T00:00:00+08:00
    expires_at: 2024-11-01T00:00:00+08:00
    covers: {{{covers}}}
"""


def voucher(
    id_: str = "v-1",
    remaining: str = "10",
    *,
    start: str = "11-01 00",
    end: str = "12-01 00",
    items: Sequence[str] | None = None,
    minimum: str = "0",
) -> MoneyPot:
    left = Decimal(remaining)
    scope = None if items is None else frozenset(items)
    return MoneyPot(id_, left, left, at(start), at(end), scope, Decimal(minimum))


def card(id_: str = "c-1", remaining: str = "10", *, start: str = "11-01 00", end: str = "12-01 00") -> MoneyPot:
    left = Decimal(remaining)
    return MoneyPot(id_, left, left, at(start), at(end))


#: (start, end, whether a voucher or card of this validity pays at noon of the 10th): the start is included, the end is not.
VALID_AT_NOON = [
    ("11-10 12:00", "12-01", True),
    ("11-10 12:01", "12-01", False),
    ("11-01", "11-10 12:01", True),
    ("11-01", "11-10 12:00", False),
]


def top_up(when: str, amount: str, id_: str | None = None) -> TopUp:
    return TopUp(at(when), Decimal(amount), id=id_)


def account(balance: str = "0", *, credit: str = "0", **parts: object) -> Account:
    return changed(Account("a-1", "CNY").having(Balance(Decimal(balance)), CreditLine(Decimal(credit))), **parts)


def changed(account: Account, **parts: Any) -> Account:
    """The account with other fields; its sources have short names: `plans`, `balance`, `credit_used`, ..."""
    vouchers, credit = account.of(Vouchers), account.of(CreditLine)
    sources = (
        ResourcePlans(parts.pop("plans", plans_of(account))),
        Vouchers(parts.pop("vouchers", vouchers.pots), parts.pop("voucher_order", vouchers.order)),
        StoredValueCards(parts.pop("cards", cards_of(account))),
        Balance(parts.pop("balance", balance_of(account))),
        replace(credit, used=parts.pop("credit_used", credit.used)),
    )
    return replace(account.having(*sources), **parts)


def plans_of(account: Account) -> tuple[ResourcePlan, ...]:
    return account.of(ResourcePlans).plans


def balance_of(account: Account) -> Decimal:
    return account.of(Balance).amount


def vouchers_of(account: Account) -> tuple[MoneyPot, ...]:
    return account.of(Vouchers).pots


def cards_of(account: Account) -> tuple[MoneyPot, ...]:
    return account.of(StoredValueCards).pots


def reread(text: str, prices: PriceBook | None = None) -> Account:
    """The account that a file's text is."""
    found, problems = read_account(text, "account.yaml", prices or book())
    if found is None:
        raise InputRejected(problems)
    return found


def packs_of(
    sizes: Mapping[str, str],
    covers: Mapping[str, Mapping[str, str]] | None = None,
    *,
    id_: str = "video",
    unit: str = "minute",
    valid_for: Validity | None = None,
    regions: Sequence[str] | None = None,
) -> list[Pack]:
    """Packs of one type: size to price; both, and the coefficients, as text."""
    type_ = PackType(
        id=id_,
        name="",
        unit=UNITS[unit],
        valid_for=valid_for or Validity(6, "month"),
        regions=None if regions is None else frozenset(regions),
        covers=_rates(covers or VIDEO),
        sources=(),
        notes=(),
        unknown=(),
    )
    return [Pack(type_, int(Decimal(size) * MICROS), Decimal(price)) for size, price in sizes.items()]


def simulator(cycles: Sequence[Cycle], *plans: ResourcePlan, start: int | None = None) -> Simulator:
    """The cycles with these plans, and purchases at `start` (by default on 2023-11-01)."""
    return Simulator(cycles, plans, {}, at("11-01") if start is None else start, OFFSET)


def bought(sim: Simulator, *purchase: tuple[Pack, int]) -> Outcome:
    return sim.buy(purchase)


def sizes_of(purchase: Purchase) -> list[tuple[str, Decimal, int]]:
    return [(pack.type.id, Decimal(pack.units) / MICROS, count) for pack, count in purchase]


def taken_from(vouchers, lines, payable, order="earliest-expiry"):
    """What vouchers pay of a bill of 10:00-11:00 on 2023-11-10 that is issued at noon: their ids with the amounts, in order."""
    due = Due("mps", at("11-10 10"), None, at("11-10 12"), at("11-10 12"), lambda: lines, payable)
    return [(one.id, one.amount) for one in Vouchers(tuple(vouchers), order).pay(due, payable)[0]]
