"""What a sheet says, in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import counted
from mps_bill.core.times import DAY, HOUR, clock, offset_text
from mps_bill.core.units import Unit, in_unit
from mps_bill.price_sheet.sheet_model import Billing, Item, Metering, PriceSheet


def metering_words(metering: Metering, unit: Unit) -> str:
    """`each record rounded half-up to 0.01 minute, at least 0.02 minute`."""
    step, least = (f"{plain(in_unit(micros, unit))} {unit.name}" for micros in (metering.step, metering.minimum))
    minimum = f", at least {least}" if metering.minimum else ""
    match metering.per:
        case "record":
            return f"each record rounded {metering.rounding} to {step}{minimum}"
        case "cycle":
            counted = f", each record at least {least}" if metering.minimum else ""
            return f"the cycle's sum rounded {metering.rounding} to {step}{counted}"
        case "none":
            return f"pro rata{minimum}"


def spec_words(item: Item) -> str:
    return item.template or "named by usage"


def sizes_words(item: Item) -> str:
    """`LD 640x480, SD 1280x720`."""
    return ", ".join(f"{size.name} {size.long}x{size.short}" for size in item.resolutions) or "none"


def cycle_words(billing: Billing) -> str:
    calendar = billing.calendar
    return f"{'hour' if calendar.cycle_seconds == HOUR else 'day'} at {offset_text(calendar.offset)}"


def rounding_words(billing: Billing) -> str:
    return f"{billing.mode} to {billing.places} decimal places"


def length_words(seconds: int) -> str:
    """`1 day and 2 hours`, `30 minutes`."""
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    counts = ((days, "day"), (hours, "hour"), (rest // 60, "minute"))
    parts = [counted(count, unit) for count, unit in counts if count]
    return " and ".join(parts) or "at once"


def time_words(second: int | None, sheet: PriceSheet) -> str:
    """A time on the sheet's billing clock, with the offset."""
    offset = sheet.billing.calendar.offset
    return "open" if second is None else f"{clock(second, offset)} {offset_text(offset)}"


def regions_words(regions: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> str:
    """Regions, with whole groups named by their group and "*" as every other region."""
    return ", ".join("every other region" if region == "*" else region for region in by_group(regions, groups))


def by_group(regions: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Regions with whole groups named by their group: three names instead of ten."""
    left = list(regions)
    names = []
    for group, members in groups.items():
        if members and set(members) <= set(left):
            names.append(group)
            left = [region for region in left if region not in members]
    return [*names, *left]
