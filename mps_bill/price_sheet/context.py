"""The parts of a sheet that its items refer to: region groups, resolution sets and sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from mps_bill.core.diagnostics import Problem
from mps_bill.documents.shapes import Fields, Located
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.regions import KNOWN
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Resolution, Source


@dataclass(frozen=True, slots=True)
class ResolutionSet:
    """`names` also has the resolutions whose size is wrong, so that a mistake is reported only once."""

    names: frozenset[str]
    resolutions: tuple[Resolution, ...]


class Context:
    """`region_keys` are the regions and groups that may have prices. `overlaps` maps each two groups that share a region to such
    a region, at its second place. `broken_sets` are the names of resolution sets whose problems have been reported.

    `sources_by_id` has None for a source that is wrong. `sources_whole` is False if an id could not be read.
    """

    def __init__(self, sheet: Fields, problems: list[Problem]) -> None:
        self.groups: Mapping[str, tuple[str, ...]] = {
            group.key.value: tuple(dict.fromkeys(region.value for region in group.parts))
            for group in sheet.parts(d.REGION_GROUPS)
        }
        written = sheet.get(d.REGION_GROUPS)
        bad_names = written.left_out if written else frozenset()
        members = frozenset(region for group in self.groups.values() for region in group)
        self.region_keys = KNOWN | members | self.groups.keys() | bad_names | {EVERY_REGION}
        self.overlaps = _overlaps(sheet)
        self.resolution_sets, self.broken_sets = _resolution_sets(sheet, problems)
        self.sources, self.sources_by_id, self.sources_whole = _sources(sheet)


def _overlaps(sheet: Fields) -> dict[frozenset[str], Located[str]]:
    """Return, for each two groups that share a region, the first such region in the later group."""
    groups_of: dict[str, list[str]] = {}
    shared: dict[frozenset[str], Located[str]] = {}
    for group in sheet.parts(d.REGION_GROUPS):
        for region in group.parts:
            holders = groups_of.setdefault(region.value, [])
            for other in holders:
                if other != group.key.value:
                    shared.setdefault(frozenset((other, group.key.value)), region)
            holders.append(group.key.value)
    return shared


def _resolution_sets(sheet: Fields, problems: list[Problem]) -> tuple[dict[str, ResolutionSet], frozenset[str]]:
    sets = sheet.get(d.RESOLUTIONS)
    if sets is None:
        return {}, frozenset()
    found: dict[str, ResolutionSet] = {}
    broken = set(sets.left_out)
    for entry in sets.parts:
        if entry.value is None:
            broken.add(entry.key.value)
            continue
        names = frozenset(part.key.value for part in entry.value.parts) | entry.value.left_out
        sizes = [(part.key.value, part.value) for part in entry.value.parts if part.value]
        problems += _check_order(sizes)
        resolutions = tuple(Resolution(name, *size.value) for name, size in sizes)
        found[entry.key.value] = ResolutionSet(names, resolutions)
    return found, frozenset(broken)


def _check_order(sizes: list[tuple[str, Located[tuple[int, int]]]]) -> Iterator[Problem]:
    """Check that each size is larger than the one before it: a picture belongs to the first size that is large enough."""
    for (before_name, before), (name, size) in pairwise(sizes):
        (long, short), (before_long, before_short) = size.value, before.value
        if long < before_long or short < before_short or size.value == before.value:
            message = (
                f"{name}, {long}x{short}, is not larger than {before_name}, {before_long}x{before_short}, before it;"
                " write sizes in ascending order of both sides, each once"
            )
            yield Problem(size.place, kinds.UNORDERED_RESOLUTIONS, message)


def _sources(sheet: Fields) -> tuple[tuple[Source, ...], dict[str, Source | None], bool]:
    entries = sheet.get(d.SOURCES)
    if entries is None:
        return (), {}, not sheet.wrong(d.SOURCES)
    by_id: dict[str, Source | None] = {}
    for source in entries.parts:
        if id_ := source.get(d.SOURCE_ID):
            by_id.setdefault(id_.value, source.value)
    whole = entries.whole and not any(source.wrong(d.SOURCE_ID) for source in entries.parts)
    return tuple(source.value for source in entries.parts if source.value), by_id, whole
