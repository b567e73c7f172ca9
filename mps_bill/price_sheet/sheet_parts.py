"""The readable parts of a sheet, valid or not, with those that items refer to: region groups, resolution sets and sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mps_bill.documents.fields import Entry, Fields, Located, Many
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet.regions import KNOWN
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Resolution, Source


@dataclass(frozen=True, slots=True)
class ResolutionSet:
    """`names` also has the resolutions whose size is wrong, so that a mistake is reported only once."""

    names: frozenset[str]
    resolutions: tuple[Resolution, ...]


class SheetParts:
    """What could be read of a sheet, so that warnings can be reported along with errors.

    `region_keys` are the regions and groups that may have prices. `overlaps` maps each two groups that share a region to such a
    region, at its second place. `resolution_sets` and `sources_by_id` have None for a wrong value. `sources_whole` is False if
    an id could not be read.
    """

    def __init__(self, sheet: Fields) -> None:
        self.fields = sheet
        self.groups: Mapping[str, tuple[str, ...]] = {
            group.key.value: tuple(dict.fromkeys(region.value for region in group.parts))
            for group in sheet.parts(d.REGION_GROUPS)
        }
        written = sheet.get(d.REGION_GROUPS)
        bad_names = written.left_out if written else frozenset()
        members = frozenset(region for group in self.groups.values() for region in group)
        self.region_keys = KNOWN | members | self.groups.keys() | bad_names | {EVERY_REGION}
        self.overlaps = _overlaps(sheet)
        self.resolution_sets = _resolution_sets(sheet)
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


def _resolution_sets(sheet: Fields) -> dict[str, ResolutionSet | None]:
    sets = sheet.get(d.RESOLUTIONS)
    found: dict[str, ResolutionSet | None] = dict.fromkeys(sets.left_out if sets else ())
    for entry in sheet.parts(d.RESOLUTIONS):
        found[entry.key.value] = _resolution_set(entry.value) if entry.value else None
    return found


def _resolution_set(sizes: Many[Entry[str, Located[tuple[int, int]]]]) -> ResolutionSet:
    names = sizes.left_out.union(size.key.value for size in sizes.parts)
    resolutions = (Resolution(size.key.value, *size.value.value) for size in sizes.parts if size.value)
    return ResolutionSet(names, tuple(resolutions))


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
