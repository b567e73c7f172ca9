"""Warnings about missing prices."""

from __future__ import annotations

from collections.abc import Iterator

from mps_bill.core.diagnostics import Problem, all_of, quoted
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import CheckedSheet
from mps_bill.price_sheet.sheet_model import EVERY_REGION
from mps_bill.price_sheet.spec import RESOLUTION, join_spec
from mps_bill.price_sheet.words import by_group


def coverage_holes(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield specs without a price in a region in which another spec of the item has one."""
    for table in sheet.tables:
        groups = table.groups
        rows = [
            (row.key, [entry.key.value for entry in row.value.parts])
            for row in table.fields.parts(d.PRICES)
            # If a region is misspelt, it is not known which one the row lacks.
            if row.value
            and row.value.whole
            and not (sheet.wrong and any(entry.key.place in sheet.wrong for entry in row.value.parts))
        ]
        everywhere = any(EVERY_REGION in keys for _, keys in rows)
        priced = {region for _, keys in rows for key in keys for region in groups.get(key, (key,))} - {EVERY_REGION}
        for spec, keys in rows:
            missing = sorted(priced - {region for key in keys for region in groups.get(key, (key,))})
            if EVERY_REGION not in keys and (missing or everywhere):
                where = [*by_group(missing, groups), *(["every other region"] if everywhere else [])]
                lacks = f"has no price in {all_of(where)}, where other specs of the item have one"
                message = f"{table.code.value} {quoted(spec.value)} {lacks}"
                facts = (("price", table.code.value, spec.value),)
                yield Problem(spec.place, kinds.COVERAGE_HOLE, message, f"{table.code.value} {lacks}", facts=facts)


def missing_resolutions(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield resolutions without a price between two resolutions of the same codec that have one."""
    invalid = sheet.invalid_items()
    unpriced = sheet.draft.sheet.unpriced if sheet.draft else ()
    for table in sheet.tables:
        template = table.template
        # If a row is misspelt or duplicated, it is not known which one is missing.
        if template is None or RESOLUTION not in template or table.code.value in invalid:
            continue
        order = [resolution.name for resolution in table.resolutions]
        for codec, specs in table.by_codec.items():
            priced = {resolution: spec for resolution, spec in specs.items() if resolution in order}
            numbers = [order.index(resolution) for resolution in priced] or [0]
            between = [name for name in order[min(numbers) : max(numbers)] if name not in priced]
            specs_between = [join_spec(template, codec, name) for name in between]
            # The sheet may list one as unpriced.
            said = [entry for entry in unpriced if table.code.value in entry.items]
            lost = [spec for spec in specs_between if not any(not one.specs or one.names(spec) for one in said)]
            if lost:
                above = next(priced[name] for name in order[order.index(between[0]) :] if name in priced)
                message = (
                    f"{table.code.value} has prices for smaller and larger resolutions than"
                    f" {all_of([quoted(spec) for spec in lost])}, but none for {'that' if len(lost) == 1 else 'these'};"
                    " such pictures are refused. If that is intended, list it under `unpriced`"
                )
                facts = tuple(("price", table.code.value, spec) for spec in lost)
                yield Problem(table.spec_places[above], kinds.MISSING_RESOLUTION, message, facts=facts)
