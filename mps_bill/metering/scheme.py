"""The part of the price book that an engine needs to group and sum rows, and nothing more."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mps_bill.core.decimals import RoundingMode, divide
from mps_bill.core.times import HOUR
from mps_bill.core.units import UNITS
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.price_sheet.spec import codecs


@dataclass(frozen=True, slots=True)
class RecordRule:
    """A metering rule that applies to each record by itself, for units of one dimension.

    A record of m micros counts as whole pieces of `step` micros: m / step rounded, at least `minimum` micros if m > 0.
    Source: the provider bills every output by itself, in steps of 0.01 minute, rounded half up from the third decimal.
    """

    dimension: str
    step: int
    rounding: RoundingMode
    minimum: int

    def pieces(self, micros: int) -> int:
        """Pieces of `step` for a record of `micros`: with a step of 0.6 s, 61.2 s make 102 pieces."""
        least = self.minimum // self.step if micros else 0
        return max(least, divide(micros, self.step, self.rounding))


def record_rule(item: Item) -> RecordRule | None:
    """The rule that applies to each record of `item`, or None if its records are summed unchanged."""
    metering = item.metering
    if metering.per == "record":
        return RecordRule(item.unit.dimension, metering.step, metering.rounding, metering.minimum)
    if metering.minimum:
        return RecordRule(item.unit.dimension, 1, "half-up", metering.minimum)
    return None


def record_micros(item: Item, unit: str, micros: int) -> int:
    """The quantity in micros that a record of `micros` (millionths of `unit`) counts under the rule of its item."""
    amount = micros * UNITS[unit].factor
    rule = record_rule(item)
    return rule.pieces(amount) * rule.step if rule else amount


@dataclass(frozen=True, slots=True)
class MeteringScheme:
    """The known words, the edges of times and sizes, and the record rules of a price book.

    `slot_seconds` divides every cycle of the book on its own clock, so that no slot overlaps two cycles. Slots also end at the
    seconds in `cuts`, which are sorted.
    """

    slot_seconds: int
    #: The known words of each column in `WORDS`.
    words: Mapping[str, frozenset[str]]
    long_edges: tuple[int, ...]
    short_edges: tuple[int, ...]
    rules: tuple[RecordRule, ...]
    #: The tag columns that split the groups, as requested.
    tags: tuple[str, ...]
    #: Seconds east of UTC for times without an offset; if None, such times are refused.
    assumed_offset: int | None
    #: Whether the usage names the account of every row, so that each account has its own groups.
    by_account: bool = False
    cuts: tuple[int, ...] = ()
    #: The specs that other spellings refer to, by item and spelling.
    spellings: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def slot(self, second: int) -> int:
        """The start of the time slot of a second."""
        start = second // self.slot_seconds * self.slot_seconds
        cut = bisect_right(self.cuts, second)
        return max(start, self.cuts[cut - 1]) if cut else start

    def pieces(self, unit: str, micros: int) -> tuple[int, ...]:
        """The pieces of a record of `micros` (millionths of `unit`) under each rule; 0 if a rule is for another dimension."""
        found = UNITS.get(unit)
        if found is None:
            return (0,) * len(self.rules)
        return tuple(
            rule.pieces(micros * found.factor) if rule.dimension == found.dimension else 0 for rule in self.rules
        )


def scheme_for(
    book: PriceBook, tags: tuple[str, ...] = (), assumed_offset: int | None = None, cuts: tuple[int, ...] = ()
) -> MeteringScheme:
    """The scheme for all items of `book`."""
    items = tuple(book.items)
    calendars = [book.calendar(product) for product in book.versions]
    rules = dict.fromkeys(rule for rule in map(record_rule, items) if rule)
    buckets = [resolution for item in items for resolution in item.resolutions]
    return MeteringScheme(
        slot_seconds=math.gcd(HOUR, *(calendar.offset for calendar in calendars)),
        words={
            "item": frozenset(item.code for item in items) | book.unpriced.keys(),
            "region": book.known_regions,
            "spec": frozenset(spec for item in items for spec in (*item.prices, *item.aliases)),
            "codec": frozenset(codec for item in items for codec in codecs(item)),
            "unit": frozenset(UNITS),
        },
        long_edges=tuple(sorted({bucket.long for bucket in buckets})),
        short_edges=tuple(sorted({bucket.short for bucket in buckets})),
        rules=tuple(rules),
        tags=tags,
        assumed_offset=assumed_offset,
        cuts=cuts,
        spellings=_spellings(items),
    )


def _spellings(items: Sequence[Item]) -> dict[tuple[str, str], str]:
    """The other spellings that refer to the same spec in every version of their item. For any other spelling the sheet in force
    decides (`assign`), and an engine treats it as a separate spec."""
    found: dict[tuple[str, str], set[str]] = {(item.code, word): set() for item in items for word in item.aliases}
    for item in items:
        for word in (word for code, word in found if code == item.code):
            found[item.code, word].add(item.spec_of(word))
    return {key: specs.pop() for key, specs in found.items() if len(specs) == 1}
