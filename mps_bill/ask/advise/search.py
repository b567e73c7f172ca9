"""The purchase that saves the most, among all numbers of all packs.

The search is branch and bound. The purchases form a tree, in which each step decides whether to buy one more of a pack or no
more of it. The branch with the highest bound is searched first. When no branch can save more than the best settled purchase,
that one is the best of all. The bounds are always valid (`bounds`), so the answer is exact. Only the work is limited: if the
limit is reached, the highest remaining bound says how much better another purchase could be at most.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import count

from mps_bill.ask.advise.bounds import bounds
from mps_bill.ask.advise.packs import Pack, PackType, Purchase, price_of, units_of
from mps_bill.ask.advise.simulate import Outcome, Simulator
from mps_bill.core.decimals import ZERO, divide, scaled
from mps_bill.settlement.entries import MONEY_PLACES

#: The maximum number of purchases that are settled, and of steps in the tree.
MAX_SETTLED = 300
MAX_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class Found:
    """The best purchase, the number of purchases `settled` in the search, and the most by which another could be better: 0 if it
    is proven that none is. The gap is rounded up to money."""

    best: Outcome
    settled: int
    gap: Decimal


def best_purchase(
    simulator: Simulator,
    packs: Sequence[Pack],
    tried: Iterable[Outcome] = (),
    *,
    max_settled: int = MAX_SETTLED,
    max_steps: int = MAX_STEPS,
) -> Found:
    """Return the purchase with the highest saving, which buys nothing if every purchase costs more than it saves.

    `tried` are purchases that were settled before. Among equal purchases, the empty one comes first, then the first one settled.
    """
    best = max((simulator.buy(()), *tried), key=lambda outcome: outcome.saving)
    types = tuple(dict.fromkeys(pack.type for pack in packs))
    # The largest first: their units cost the least, which makes the bounds of the remaining decisions tighter.
    packs = sorted(packs, key=lambda pack: (types.index(pack.type), -pack.units))
    limits = bounds(simulator, types)
    cheapest = [_cheapest(packs[number:]) for number in range(len(packs) + 1)]

    def bound(counts: tuple[int, ...], number: int) -> Fraction:
        purchase = _purchase(packs, counts)
        return limits.saving(units_of(purchase), price_of(purchase), cheapest[number])

    # The highest bound first; among equal ones the latest, which is closest to a complete purchase.
    order = count(0, -1)
    heap = [(-bound((), 0), next(order), 0, (0,) * len(packs))]
    settled = 0
    for _ in range(max_steps):
        if not heap or -heap[0][0] <= Fraction(best.saving):
            return Found(best, settled, ZERO)
        _, _, number, counts = heap[0]
        if number == len(packs):
            if settled == max_settled:
                break
            heapq.heappop(heap)
            settled += 1
            outcome = simulator.buy(_purchase(packs, counts))
            best = outcome if outcome.saving > best.saving else best
            continue
        heapq.heappop(heap)
        one_more = tuple(n + (place == number) for place, n in enumerate(counts))
        for child, following in ((counts, number + 1), (one_more, number)):
            highest = bound(child, following)
            if highest > Fraction(best.saving):
                heapq.heappush(heap, (-highest, next(order), following, child))
    gap = max(-heap[0][0] - Fraction(best.saving), Fraction(0)) if heap else Fraction(0)
    cents = divide(gap.numerator * 10**MONEY_PLACES, gap.denominator, "up")
    return Found(best, settled, scaled(cents, MONEY_PLACES))


def _cheapest(packs: Sequence[Pack]) -> dict[PackType, Fraction]:
    """Return the lowest price of a millionth of each type."""
    prices: dict[PackType, Fraction] = {}
    for pack in packs:
        price = Fraction(pack.price) / pack.units
        prices[pack.type] = min(price, prices.get(pack.type, price))
    return prices


def _purchase(packs: Sequence[Pack], counts: Sequence[int]) -> Purchase:
    return tuple((pack, number) for pack, number in zip(packs, counts, strict=False) if number)
