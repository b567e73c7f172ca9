"""Advice on packs: the usage is metered once, and settled again with every purchase that is looked at."""

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
from mps_bill.settlement.sources.resource_plans import ResourcePlans, segment_cuts

#: Rows of one pack end with this many of it.
MAX_OF_A_PACK = 100


@dataclass(frozen=True, slots=True)
class Reach:
    """An item and spec that packs name: how much of it is used, could be covered by them, and is by the best purchase."""

    item: str
    spec: str
    unit: Unit
    micros: int
    coverable: int
    covered: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What packs would have saved over some usage, exactly.

    `now` is what the bills come to with the plans that are there anyway (`held`), `everything` what packs without end or
    price would make of them. `outcomes` are single packs, one and several; `bought_at` is None where there is no usage.
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
        """When packs of a type expire that are bought at `bought_at`, which is set."""
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
    """Which packs to buy for the usage, all at the second `bought_at` (by default the start of the first cycle).

    Of an account its plans, its contract, its month's use and what it has settled count: usage of settled cycles is late, and
    left out.

    Raises:
        InputRejected: as `pipeline.meter_usage`.
    """
    with decimal.localcontext(EXACT):
        held = account.plans if account else ()
        moments = () if bought_at is None else _moments(bought_at, packs, book)
        cuts = tuple(sorted({*segment_cuts(held, book), *moments}))
        metered = meter(sources, book, replace(options, cuts=cuts))
        # Only plans matter here, so that nothing else pays: what is not covered is left outstanding.
        bare = Account(
            id="advice",
            currency=book.currency,
            contract=account.contract if account else LIST_PRICES,
            settled_through=account.settled_through if account else {},
            month_used=account.month_used if account else {},
        ).having(ResourcePlans(held))
        settled = settle(gathered(metered, book, cuts).cycles, bare, book)
        offset = book.offset
        if bought_at is None and settled.settlements:
            # Usage before and after a full hour is always known apart, so that this moment and the expiries can still be cuts.
            bought_at = min(settlement.bill.cycle.start for settlement in settled.settlements)
            cuts = tuple(sorted({*cuts, *_moments(bought_at, packs, book)}))
            settled = settle(gathered(metered, book, cuts).cycles, bare, book)
        cycles = tuple(settlement.bill.cycle for settlement in settled.settlements)
        simulator = Simulator(cycles, held, bare.month_used, bought_at or 0, offset)
        outcomes = tuple(outcome for pack in packs.packs for outcome in _numbers_of(pack, packs.packs, simulator))
        found = best_purchase(simulator, packs.packs, outcomes)
        everything = simulator.buy(tuple((Pack(type_, ENDLESS, ZERO), 1) for type_ in packs.types))
        return Advice(
            currency=book.currency,
            offset=offset,
            packs=packs,
            cycles=cycles,
            bought_at=bought_at,
            held=len(held),
            now=simulator.now,
            everything=everything,
            outcomes=outcomes,
            found=found,
            reach=tuple(_reach(cycles, packs, everything, found.best)),
            control_totals=control_totals(metered, late=tuple(bill.cycle for bill in settled.late)),
            problems=metered.problems,
        )


def _moments(bought_at: int, packs: PackList, book: PriceBook) -> Iterator[int]:
    """When packs bought at a moment come into force and expire."""
    yield bought_at
    offset = book.offset
    for type_ in packs.types:
        yield type_.valid_for.end(bought_at, offset)


def _numbers_of(pack: Pack, packs: Sequence[Pack], simulator: Simulator) -> Iterator[Outcome]:
    """One pack, two, and so on, until nothing more is covered, or a larger pack costs no more."""
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
    """The used specs of every item that packs name, by name."""
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
