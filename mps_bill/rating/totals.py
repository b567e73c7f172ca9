"""Usage groups gathered into the totals that prices apply to: one per cycle, item, spec and region."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from mps_bill.metering.assign import Assignment
from mps_bill.metering.groups import Group
from mps_bill.price_sheet.sheet_model import Item, PriceSheet

#: The start of a segment -> micros.
Segments = tuple[tuple[int, int], ...]


class TagShare(NamedTuple):
    """What the records with these values of the run's tags used."""

    tags: tuple[str, ...]
    micros: int
    records: int


TagShares = tuple[TagShare, ...]


# Not frozen, for the reason that lines (`rating.lines`) are not.
@dataclass(slots=True)
class UsageTotal:
    """What a cycle used of one item and spec in one region: `records` usage records, together `micros`, each counted by
    the item's record rule. `shares` splits it by tag values, in order of the values; `segments` splits them by the
    starts of the segments of the cycle that used any, in order, and is empty where the run cuts no cycle."""

    sheet: Final[PriceSheet]
    item: Final[Item]
    spec: Final[str]
    region: Final[str]
    cycle_start: Final[int]
    records: Final[int]
    micros: Final[int]
    shares: Final[TagShares]
    segments: Final[Segments] = ()


_NO_SHARE = TagShare((), 0, 0)


def gather(groups: Iterable[Group], cuts: Sequence[int] = ()) -> tuple[UsageTotal, ...]:
    """The totals of all groups, in the order of bills: cycle, product, then item and spec as the sheet lists them, region.
    `cuts` are the seconds, in order, at which cycles are cut into segments; the groups were metered with them."""
    records: dict[tuple[int, str, int, int, str], int] = {}
    shares: dict[tuple[int, str, int, int, str], dict[tuple[str, ...], TagShare]] = {}
    segments: dict[tuple[int, str, int, int, str], dict[int, int]] = {}
    heads: dict[tuple[int, str, int, int, str], Assignment] = {}
    ranks: dict[int, tuple[dict[str, int], dict[str, dict[str, int]]]] = {}
    for group in groups:
        assignment = group.assignment
        sheet, item = assignment.sheet, assignment.item
        items, specs = ranks.get(id(sheet)) or ranks.setdefault(id(sheet), _ranks(sheet))
        key = (
            assignment.cycle_start,
            sheet.product,
            items[item.code],
            specs[item.code][assignment.spec],
            assignment.region,
        )
        heads[key] = assignment
        records[key] = records.get(key, 0) + group.records
        by_tag = shares.setdefault(key, {})
        _, micros, counted = by_tag.get(group.key.tags, _NO_SHARE)
        by_tag[group.key.tags] = TagShare(group.key.tags, micros + group.micros, counted + group.records)
        if cuts:
            by_segment = segments.setdefault(key, {})
            start = segment_start(group.key.slot, assignment.cycle_start, cuts)
            by_segment[start] = by_segment.get(start, 0) + group.micros
    return tuple(
        UsageTotal(
            head.sheet,
            head.item,
            head.spec,
            head.region,
            head.cycle_start,
            records[key],
            sum(share.micros for share in shares[key].values()),
            tuple(sorted(shares[key].values())),
            tuple(sorted(segments[key].items())) if cuts else (),
        )
        for key, head in sorted(heads.items(), key=lambda pair: pair[0])
    )


def segment_start(second: int, cycle_start: int, cuts: Sequence[int]) -> int:
    """The start of the segment of a cycle that holds a second."""
    cut = bisect_right(cuts, second)
    return max(cycle_start, cuts[cut - 1]) if cut else cycle_start


def _ranks(sheet: PriceSheet) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """The place of every item, and of every spec of an item, in the order of the sheet."""
    items = {code: number for number, code in enumerate(sheet.items)}
    specs = {code: {spec: number for number, spec in enumerate(item.prices)} for code, item in sheet.items.items()}
    return items, specs
