"""Advice on packs. The usage is metered once, and settled again with every purchase that is considered."""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mps_bill.ask.advise.packs import ENDLESS, Pack, PackList, PackType, is_outdone
from mps_bill.ask.advise.search import Found, best_purchase
from mps_bill.ask.advise.simulate import Outcome, Simulator
from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import ProblemReport
from mps_bill.core.units import Unit
from mps_bill.metering.groups import ControlTotals
from mps_bill.metering.meter import meter
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.pipeline import control_totals, gathered
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Amounts, Cycle
from mps_bill.rating.contract import LIST_PRICES
from mps_bill.settlement.account import Account
from mps_bill.settlement.settle_cycles import settle
from mps_bill.settlement.sources.resource_plans import ResourcePlans

#: The maximum number of one pack that is shown.
MAX_OF_A_PACK = 100


@dataclass(frozen=True, slots=True)
class Reach:
    """An item and spec that packs cover: how much is used, how much packs could cover, and how much the best purchase covers."""

    item: str
    spec: str
    unit: Unit
    micros: int
    coverable: int
    covered: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The exact savings of packs on the given usage.

    `now` is the amount of the bills with the plans that the account has (`held` is their number), and `everything` the outcome
    with free packs of unlimited size. `outcomes` are purchases of one pack, in one or more pieces. `bought_at` is None if there
    is no usage.
    """

    currency: str
    offset: int
    packs: PackList
    cycles: tuple[Cycle, ...]
    bought_at: int | None
    held: int
    now: Amounts
    everything: Outcome
    outcomes: tuple[Outcome, ...]
    found: Found
    reach: tuple[Reach, ...]
    control_totals: ControlTotals
    problems: ProblemReport

    def expires_at(self, type_: PackType) -> int:
        """Return when packs of a type expire that are bought at `bought_at`, which must not be None."""
        assert self.bought_at is not None
        return type_.valid_for.end(self.bought_at, self.offset)


def advise_usage(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    packs: PackList,
    account: Account | None = None,
    bought_at: int | None = None,
) -> Advice:
    """Return which packs to buy for the usage, all at the second `bought_at` (by default the start of the first cycle).

    The plans, the contract and the month's usage of an account are taken into account. Usage of cycles that it has settled is
    late, and left out.

    Raises:
        InputRejected: as `pipeline.meter_usage`.
    """
    with decimal.localcontext(EXACT):
        payer = _plans_alone(account, book)
        moments = () if bought_at is None else _moments(bought_at, packs, book)
        cuts = tuple(sorted({*payer.cuts(book), *moments}))
        metered = meter(sources, book, replace(options, cuts=cuts))
        settled = settle(gathered(metered, book, cuts).cycles, payer, book)
        if bought_at is None and settled.settlements:
            # Usage is always metered separately before and after a full hour, so this time and the expiries can still be cuts.
            bought_at = min(settlement.bill.cycle.start for settlement in settled.settlements)
            cuts = tuple(sorted({*cuts, *_moments(bought_at, packs, book)}))
            settled = settle(gathered(metered, book, cuts).cycles, payer, book)
        cycles = tuple(settlement.bill.cycle for settlement in settled.settlements)
        plans = payer.of(ResourcePlans).plans
        simulator = Simulator(cycles, plans, payer.month_used, bought_at or 0, book.offset)
        outcomes = tuple(outcome for pack in packs.packs for outcome in _numbers_of(pack, packs.packs, simulator))
        found = best_purchase(simulator, packs.packs, outcomes)
        everything = simulator.buy(tuple((Pack(type_, ENDLESS, ZERO), 1) for type_ in packs.types))
        return Advice(
            currency=book.currency,
            offset=book.offset,
            packs=packs,
            cycles=cycles,
            bought_at=bought_at,
            held=len(plans),
            now=simulator.now,
            everything=everything,
            outcomes=outcomes,
            found=found,
            reach=tuple(_reach(cycles, packs, everything, found.best)),
            control_totals=control_totals(metered, late=tuple(bill.cycle for bill in settled.late)),
            problems=metered.problems,
        )


def _plans_alone(account: Account | None, book: PriceBook) -> Account:
    """Return an account with the plans of another and no money: what plans do not cover is left outstanding."""
    return Account(
        id="advice",
        currency=book.currency,
        contract=account.contract if account else LIST_PRICES,
        settled_through=account.settled_through if account else {},
        month_used=account.month_used if account else {},
    ).having(account.of(ResourcePlans) if account else ResourcePlans())


def _moments(bought_at: int, packs: PackList, book: PriceBook) -> Iterator[int]:
    """Yield when packs bought at a time come into force and expire."""
    yield bought_at
    for type_ in packs.types:
        yield type_.valid_for.end(bought_at, book.offset)


def _numbers_of(pack: Pack, packs: Sequence[Pack], simulator: Simulator) -> Iterator[Outcome]:
    """Yield the outcomes of one pack, two, and so on, until no more usage is covered, or a larger pack is as cheap."""
    covered = 0
    for number in range(1, MAX_OF_A_PACK + 1):
        if number > 1 and is_outdone(pack, number, packs):
            return
        outcome = simulator.buy(((pack, number),))
        if number > 1 and outcome.covered_micros == covered:
            return
        covered = outcome.covered_micros
        yield outcome


def _reach(cycles: Sequence[Cycle], packs: PackList, everything: Outcome, best: Outcome) -> Iterator[Reach]:
    """Yield the used specs of every item that packs cover, by name."""
    items = {item for type_ in packs.types for item in type_.covers}
    units: dict[tuple[str, str], Unit] = {}
    used: dict[tuple[str, str], int] = {}
    for cycle in cycles:
        for charge in cycle.charges:
            if charge.item.code in items:
                key = (charge.item.code, charge.spec)
                units.setdefault(key, charge.item.unit)
                used[key] = used.get(key, 0) + charge.micros
    for (item, spec), micros in sorted(used.items()):
        coverable, covered = (
            sum(cover.micros for cover in outcome.covers if (cover.item, cover.spec) == (item, spec))
            for outcome in (everything, best)
        )
        yield Reach(item, spec, units[item, spec], micros, coverable, covered)
