"""Warnings about names: codecs, specs, regions, groups and items that look like misspellings of others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from mps_bill.core.diagnostics import Fact, Place, Problem, near_miss, one_of, quoted
from mps_bill.documents.fields import Located
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import CheckedSheet, ItemTable
from mps_bill.price_sheet.regions import KNOWN
from mps_bill.price_sheet.sheet_parts import SheetParts
from mps_bill.price_sheet.spec import codecs, is_constant, join_spec, split_spec

#: The names of codecs in usage.
CODECS = (
    "H264", "H265", "H266", "H267", "H263", "H261", "AV1", "AV2", "AVS", "AVS2", "AVS3", "VP8", "VP9", "VP10", "MPEG1", "MPEG2",
    "MPEG4", "VC1", "WMV", "XVID", "THEORA", "PRORES", "DNXHD", "MJPEG", "GIF", "WEBP", "JPEG", "PNG", "HEIF", "AVIF",
)  # fmt: skip
#: Other names of codecs.
_OTHER_NAMES = {
    "AVC": "H264",
    "X264": "H264",
    "HEVC": "H265",
    "X265": "H265",
    "VVC": "H266",
    "AV01": "AV1",
    "VP09": "VP9",
}
_SHORTEST = 4
#: The currencies in use: list one of ISO 4217, without funds, metals and test codes.
_ISO_4217 = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG
XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_ISO_4217.split())
#: Unofficial codes of currencies, and the currencies of price lists.
_SAID = {"RMB": "CNY", "CNH": "CNY", "YUA": "CNY", "RUR": "RUB", "UKP": "GBP", "NTD": "TWD"}
_OFTEN = ("CNY", "USD", "EUR", "HKD", "JPY", "SGD", "MYR", "IDR", "GBP")


def misspelt_specs(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield specs that differ from another one in case, marks or one letter, and codecs that have another name in usage."""
    for table in sheet.tables:
        code, template = table.code.value, table.fields.get(d.SPEC)
        # An item's `spec` without a price has been reported as an error.
        is_wrong = template is not None and template.place in sheet.wrong
        if template and table.derived and not is_wrong:
            # An item of the same code has the same specs, including their digits.
            theirs = [item.template for item in sheet.in_others(code) if item.template]
            if template.value not in theirs and (word := nearest(template.value, theirs)):
                message = f"{quoted(template.value)} is nearly {quoted(word)}, which other sheets have; usage may not match it"
                about = ("template", code), ("spec", code)
                yield Problem(
                    template.place, kinds.MISSPELT_SPEC, message, _misspelling(template.value, word), facts=about
                )
        unknown = _unknown_codecs(sheet, table)
        nearly = _nearly_codecs(table, unknown)
        meant = {**_of_other_sheets(sheet, table), **_of_the_template(table), **nearly, **_twins(table)}
        for spec, word in meant.items() if not (table.derived or is_wrong) else ():
            message = f"{quoted(spec)} looks like {quoted(word)}; if that is intended, usage will not match this price"
            facts = (("price", code, word), ("template", code))
            yield Problem(table.spec_places[spec], kinds.MISSPELT_SPEC, message, _misspelling(spec, word), facts=facts)
        for codec in unknown:
            own = table.by_codec[codec]
            spec = next(iter(own.values()))
            if spec not in nearly:
                name = _OTHER_NAMES.get(_MARKS.sub("", codec).upper())
                hint = f"in usage it is {name}" if name else f"usage has codecs such as {one_of(CODECS[:3])}"
                # If one of the item's codecs no longer exists, this is its new name.
                lost = (other for item in sheet.in_others(code) for other in codecs(item))
                word = name or next((one for one in lost if one not in table.by_codec), codec)
                of_codec = tuple(("price", code, join_spec(table.template or "", word, size)) for size in own)
                message = f"unknown codec {quoted(codec)}; {hint}"
                yield Problem(table.spec_places[spec], kinds.MISSPELT_SPEC, message, codec, facts=of_codec)


def _misspelling(spec: str, word: str) -> str:
    """Return the misspelt parts, which other specs may share: `h265 for H265`."""
    parts = [(one, other) for one, other in zip(spec.split("."), word.split("."), strict=False) if one != other]
    return " ".join(f"{one} for {other}" for one, other in parts)


def _twins(table: ItemTable) -> dict[str, str]:
    """Return specs that are the same as an earlier one except for case and marks, with that one."""
    first: dict[str, str] = {}
    return {spec: other for spec in table.spec_places if (other := first.setdefault(_bare(spec), spec)) != spec}


def _nearly_codecs(table: ItemTable, unknown: Sequence[str]) -> dict[str, str]:
    """Return specs with an unknown codec that is nearly a known one, or nearly one that more of the item's specs have."""
    meant: dict[str, str] = {}
    template, by_codec = table.template or "", table.by_codec
    for codec in unknown:
        own = by_codec[codec]
        common = [other for other, theirs in by_codec.items() if other and len(theirs) > len(own)]
        # A codec of the item that lacks these resolutions is more likely than one that the item does not have.
        lacking = (other for other in common if own.keys().isdisjoint(by_codec[other]))
        word = next((other for other in lacking if nearest(codec, [other])), None)
        word = word or nearest(codec, [*CODECS, *(other for other in common if not _digits_differ(codec, other))])
        if word:
            meant.update((spec, join_spec(template, word, size)) for size, spec in own.items())
    return meant


def _unknown_codecs(sheet: CheckedSheet, table: ItemTable) -> list[str]:
    """Return codecs that are known neither from usage nor from another sheet."""
    own = [codec for codec in table.by_codec if codec]
    if set(own) <= set(CODECS):
        return []
    known = {*CODECS, *(codec for other in sheet.others for item in other.items.values() for codec in codecs(item))}
    return [codec for codec in own if codec not in known]


def _of_the_template(table: ItemTable) -> dict[str, str]:
    """Return specs that are nearly one that the template derives, with that one."""
    template = table.template
    others = [spec for spec, part in table.spec_parts.items() if part is None]
    if template is None or is_constant(template) or not others:
        return {}
    codecs = dict.fromkeys([*table.by_codec, *CODECS[:3]])
    names = [size.name for size in table.resolutions] or [""]
    made = dict.fromkeys(join_spec(template, codec, name) for codec in codecs for name in names)
    return {spec: word for spec in others if (word := nearest(spec, made, letters_only=True))}


def _of_other_sheets(sheet: CheckedSheet, table: ItemTable) -> dict[str, str]:
    """Return specs that are nearly one of the same item in another sheet that this sheet lacks, with that one."""
    own = table.spec_places.keys()
    theirs = {spec for item in sheet.in_others(table.code.value) for spec in (*item.prices, *item.aliases)}
    lacking = theirs - own
    return {
        spec: word for spec in own - theirs if lacking and (word := nearest(spec, sorted(lacking), letters_only=True))
    }


def misspelt_items(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield item codes that are nearly one of another sheet that this sheet lacks."""
    own = {table.code.value for table in sheet.tables}
    unpriced = sheet.draft.sheet.unpriced if sheet.draft else ()
    # A whole item may be listed as unpriced, and a base that is not in the sheet is an error already.
    named = {code for one in unpriced if not (one.specs or one.regions) for code in one.items}
    named |= {table.base for table in sheet.tables if table.base}
    known = {
        code
        for other in sheet.others
        for code in (*other.items, *(code for one in other.unpriced for code in one.items))
    }
    lacking = sorted(known - own - named)
    for table in sheet.tables if lacking else ():
        code = table.code
        if code.value not in known and (word := nearest(code.value, lacking, letters_only=True)):
            message = f"{code.value} is nearly {word}, which other sheets have; if that is intended, usage of {word} has no price"
            yield Problem(code.place, kinds.MISSPELT_ITEM, message, facts=(("item", word),))


def misspelt_regions(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield members of groups one letter, or one missing or extra digit, from a known region; other digits may be a new one."""
    for group in sheet.parts.fields.parts(d.REGION_GROUPS):
        for region in group.parts:
            if region.value in KNOWN:
                continue
            near = {word for word in KNOWN if len(_DIGITS.findall(word)) != len(_DIGITS.findall(region.value))}
            if word := nearest(region.value, KNOWN, letters_only=True) or nearest(region.value, sorted(near)):
                message = f"{quoted(region.value)} looks like the region {quoted(word)}; usage may not match it"
                yield Problem(region.place, kinds.MISSPELT_REGION, message, facts=(("region", word),))


def _named_regions(parts: SheetParts) -> set[str]:
    """Return the regions and groups that have prices or are listed as unpriced."""
    items = [entry.value for entry in parts.fields.parts(d.ITEMS) if entry.value]
    priced = {price.key.value for item in items for row in item.parts(d.PRICES) for price in row.parts}
    unpriced = parts.fields.parts(d.UNPRICED)
    return priced | {region.value for entry in unpriced for region in entry.parts(d.UNPRICED_REGIONS)}


def misspelt_groups(parts: SheetParts, errors: Sequence[Problem]) -> Iterator[Problem]:
    """Yield unknown regions of prices that are nearly the name of a group without prices: one mistake, at the group."""
    file, groups = parts.fields.place.file, parts.fields.get(d.REGION_GROUPS)
    unknown: dict[str, list[Place]] = {}
    for error in errors:
        if error.kind == kinds.UNKNOWN_REGION and error.place.file == file:
            unknown.setdefault(error.cause, []).append(error.place)
    if not unknown or not groups:
        return
    used = _named_regions(parts)
    for group in groups.parts:
        name = group.key.value
        word = next((word for word in unknown if near_miss(name, [word])), None)
        if name not in used and word:
            places = unknown[word]
            count = "a price names" if len(places) == 1 else f"{len(places)} prices name"
            message = f"the group is {quoted(name)} here, but {count} {quoted(word)}; spell both the same way"
            yield Problem(group.key.place, kinds.UNKNOWN_REGION, message, word, tuple(places))


def unused_groups(sheet: CheckedSheet) -> Iterator[Problem]:
    fields = sheet.parts.fields
    items, used = fields.get(d.ITEMS), _named_regions(sheet.parts)
    # If prices have a misspelt group or another error, that is the mistake.
    if not items or not items.whole or not used <= sheet.parts.region_keys or sheet.invalid_items():
        return
    for group in fields.parts(d.REGION_GROUPS):
        if group.key.value not in used:
            message = f"the group {group.key.value} has no prices; remove it, or give it prices"
            yield Problem(group.key.place, kinds.UNUSED_GROUP, message)


def duplicate_names(sheet: CheckedSheet) -> Iterator[Problem]:
    first: dict[str, tuple[str, Located[str]]] = {}
    for table in sheet.tables:
        name = table.fields.get(d.NAME)
        if name is None:
            continue
        code, other = first.setdefault(_bare(name.value), (table.code.value, name))
        if code != table.code.value:
            same = "too" if other.value == name.value else f"and {table.code.value} {quoted(name.value)}"
            message = (
                f"{code} has the name {quoted(other.value)} {same} ({other.place}); a bill shows items by their names"
            )
            yield Problem(name.place, kinds.DUPLICATE_NAME, message)


def missing_specs(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield items without a `spec` whose specs look derived, and items whose `spec` lacks a part."""
    sizes = {name for one in sheet.parts.resolution_sets.values() if one for name in one.names}
    constant = any(table.template and is_constant(table.template) for table in sheet.tables)
    for table in sheet.tables:
        code, others = table.code, [item.template for item in sheet.in_others(table.code.value) if item.template]
        if table.fields.wrong(d.SPEC):
            continue
        facts: tuple[Fact, ...] = (("spec", code.value), ("template", code.value))
        if table.template is not None:
            longer = next((one for one in others if _lacks_a_part(table.template, one)), None)
            dead = [] if table.derived else _dead_specs(table)
            if longer and (table.derived or dead):
                message = (
                    f"the `spec` of {code.value} is {quoted(table.template)}, but {quoted(longer)} in other sheets"
                )
                yield Problem(code.place, kinds.MISSING_SPEC, f"{message}; is a part missing?", facts=facts)
            elif dead:
                facts = tuple(("price", code.value, one) for spec in dead for one in _without_a_part(spec))
                message = f"the `spec` {quoted(table.template)} of {code.value} does not derive {one_of([*map(quoted, dead)], 3)}"
                place = table.spec_places[dead[0]]
                yield Problem(place, kinds.MISSING_SPEC, f"{message}; is a part missing?", facts=facts)
        elif not (table.derived or code.place in sheet.wrong or table.fields.has(d.RESOLUTION_SET)):
            # A sheet may have its own specs for a code that other sheets have, too.
            made = (one for one in others if any(split_spec(one, spec) for spec in table.spec_places))
            template = next(made, None) or _likely_template(table, sizes, constant)
            if template:
                message = f"{code.value} has no `spec`, so that usage must name it; is `spec: {quoted(template)}` missing here?"
                yield Problem(code.place, kinds.MISSING_SPEC, message, facts=facts)


def _lacks_a_part(template: str, other: str) -> bool:
    parts = iter(other.split("."))
    return template != other and all(part in parts for part in template.split("."))


def _without_a_part(spec: str) -> Iterator[str]:
    parts = spec.split(".")
    return (".".join(parts[:at] + parts[at + 1 :]) for at in range(len(parts)))


def _dead_specs(table: ItemTable) -> list[str]:
    """Return specs with a resolution that the template does not derive, and that are not misspellings of derived specs."""
    sizes = {size.name for size in table.resolutions}
    nearly = _of_the_template(table) if sizes else {}
    return [
        spec
        for spec, part in table.spec_parts.items()
        if spec not in nearly and not part and sizes.intersection(spec.split("."))
    ]


def _likely_template(table: ItemTable, sizes: Iterable[str], constant: bool) -> str | None:
    """Return the template that seems to derive the specs of an item. `constant`: the sheet has items whose `spec` is constant."""
    specs = list(table.spec_places)
    bare = _bare(specs[0]) if constant and len(specs) == 1 else ""
    if len(bare) >= _SHORTEST and bare in _bare(table.code.value):
        return specs[0]
    for spec in specs:
        codec, _, resolution = spec.partition(".")
        if codec in CODECS and resolution in sizes:
            return "{codec}.{resolution}"
    ends = {(spec.rpartition(".")[0], spec.rpartition(".")[2]) for spec in specs}
    begins = {begin for begin, _ in ends}
    if len(specs) > 1 and len(begins) == 1 and "" not in begins and all(end in sizes for _, end in ends):
        return f"{begins.pop()}.{{resolution}}"
    return None


def unknown_currency(sheet: CheckedSheet) -> Iterator[Problem]:
    currency = sheet.parts.fields.get(d.CURRENCY)
    if currency and currency.value not in CURRENCIES:
        swapped = next((code for code in _OFTEN if sorted(code) == sorted(currency.value)), _SAID.get(currency.value))
        hint = f'; did you mean "{swapped}"?' if swapped else near_miss(currency.value, _OFTEN, priced=False)
        message = f"unknown currency {quoted(currency.value)} (not in ISO 4217){hint}"
        yield Problem(currency.place, kinds.UNKNOWN_CURRENCY, message)


# ---- Nearly the same -------------------------------------------------------------------------------------------------

_MARKS = re.compile(r"[\W_]")
_DIGITS = re.compile(r"\d")


def nearest(word: str, known: Iterable[str], *, letters_only: bool = False) -> str | None:
    """Return the known word from which `word` differs only in case and marks, by one letter (added, missing or wrong), or by two
    letters in the wrong order. With `letters_only`, digits must be the same."""
    bare = _bare(word)
    every = _bares(tuple(known))
    if bare in every:
        return every[bare] if every[bare] != word else None
    for other, spelled in every.items():
        if letters_only and _digits_differ(bare, other):
            continue
        if min(len(bare), len(other)) >= _SHORTEST and _is_one_typo(bare, other):
            return spelled
    return None


@cache
def _bares(known: tuple[str, ...]) -> Mapping[str, str]:
    return {_bare(word): word for word in known}


def _bare(word: str) -> str:
    return _MARKS.sub("", word).casefold()


def _digits_differ(word: str, other: str) -> bool:
    return _DIGITS.findall(word) != _DIGITS.findall(other)


def _is_one_typo(word: str, other: str) -> bool:
    """Whether one letter is added, missing or wrong, or two adjacent letters are in the wrong order."""
    if abs(len(word) - len(other)) > 1:
        return False
    start = next((at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), None)
    if start is None:
        return True
    rest, others = word[start:], other[start:]
    swapped = len(rest) > 1 and rest[:2] == others[1::-1] and rest[2:] == others[2:]
    return rest[1:] == others[1:] or rest[1:] == others or rest == others[1:] or swapped
