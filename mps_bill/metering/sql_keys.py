"""The key of a row and its quantities as SQL: words as codes, the time slot, sizes by the next bucket edge, and pieces."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from mps_bill.core.units import MICROS, UNITS
from mps_bill.metering.scheme import MeteringScheme, RecordRule
from mps_bill.metering.sql_rows import MAX_MICROS, Dialect, tag_column
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, BEYOND, WORDS

_INT64 = 2**63 - 1
#: The words that every row needs. A row that is not billable may lack a unit.
NEVER_EMPTY = ("item", "region")


def word_lists(scheme: MeteringScheme) -> dict[str, tuple[str, ...]]:
    """The words that the statements replace by positions, counted from 1; 0 is any other word."""
    return {name: (*(() if name in NEVER_EMPTY else ("",)), *sorted(scheme.words[name])) for name in WORDS}


def key_columns(scheme: MeteringScheme) -> tuple[str, ...]:
    """The columns of a key in the results of the statements."""
    account = (ACCOUNT_COLUMN,) if scheme.by_account else ()
    codes = map(code_column, word_lists(scheme))
    return ("slot", *codes, "long_side", "short_side", "failed", *account, *map(tag_column, scheme.tags))


def code_column(column: str) -> str:
    """The column with the position of a word in its list."""
    return f"{column}_code"


def key_values(scheme: MeteringScheme, dialect: Dialect) -> dict[str, str]:
    """The columns of a key, with their values as expressions over checked rows."""
    special = {
        "slot": slot(scheme, dialect),
        "long_side": _edge("greatest(width_pixels, height_pixels)", scheme.long_edges),
        "short_side": _edge("least(width_pixels, height_pixels)", scheme.short_edges),
    }
    return {name: special.get(name, name) for name in key_columns(scheme)}


def slot(scheme: MeteringScheme, dialect: Dialect) -> str:
    """See `MeteringScheme.slot`."""
    seconds = scheme.slot_seconds
    start = f"{dialect.whole_quotient('epoch', seconds * MICROS)} * {seconds}"
    return f"greatest({start}, {_last_cut((0, *scheme.cuts))})" if scheme.cuts else start


def quantities(scheme: MeteringScheme, dialect: Dialect) -> tuple[str, ...]:
    """The quantity of a row as written, then its pieces under each rule."""
    return ("micros", *(_pieces(rule, dialect) for rule in scheme.rules))


def _last_cut(cuts: Sequence[int]) -> str:
    """The last cut that is not after the row; the first cut never is. There may be many, so this is a binary search."""
    if len(cuts) == 1:
        return str(cuts[0])
    half = len(cuts) // 2
    return f"CASE WHEN epoch < {cuts[half] * MICROS} THEN {_last_cut(cuts[:half])} ELSE {_last_cut(cuts[half:])} END"


def _edge(side: str, edges: Sequence[int]) -> str:
    """The next bucket edge at or above a side in pixels; 0 if there is no side."""
    steps = " ".join(f"WHEN {side} <= {edge} THEN {edge}" for edge in (0, *edges))
    return f"CASE {steps} ELSE {BEYOND} END"


def _pieces(rule: RecordRule, dialect: Dialect) -> str:
    """`RecordRule.pieces` for the unit of the row: (micros x factor) / step, rounded, in whole numbers."""
    arms = []
    for unit in (unit for unit in UNITS.values() if unit.dimension == rule.dimension):
        common = gcd(unit.factor, rule.step)
        factor, step = unit.factor // common, rule.step // common
        match rule.rounding:
            case "half-up":
                factor, add, step = 2 * factor, step, 2 * step
            case "up":
                add = step - 1
            case "down":
                add = 0
        # Wide numbers are slow, so they are used only if 64 bits could overflow.
        wide = MAX_MICROS * factor + add > _INT64
        micros = f"CAST(micros AS {dialect.wide})" if wide else "micros"
        pieces = dialect.whole_quotient(f"({micros} * {factor} + {add})", step, wide=wide)
        if wide and MAX_MICROS // step * factor + step * factor + add <= _INT64:
            # They are not needed either if quotient and remainder can be computed separately.
            rest = dialect.whole_quotient(f"(micros % {step} * {factor} + {add})", step)
            pieces = f"({dialect.whole_quotient('micros', step)} * {factor} + {rest})"
        if least := rule.minimum // rule.step:
            pieces = f"greatest({pieces}, CASE WHEN micros > 0 THEN {least} ELSE 0 END)"
        arms.append(f"WHEN '{unit.name}' THEN {pieces}")
    return f"CASE unit {' '.join(arms)} ELSE 0 END"
