"""The rules of a sheet in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mps_bill.core.decimals import plain
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import DAY, HOUR, offset_text, time_text
from mps_bill.core.units import Unit, ends_in_unit, in_unit
from mps_bill.price_sheet.sheet_model import Billing, Item, Metering, PriceSheet

#: The rounding modes, marked for translation.
MODES = (mark("half-up"), mark("up"), mark("down"))


def with_unit(number: str, unit: Unit) -> str:
    """`1 minute`, `0.5 minutes`, `2 GB`."""
    return f"{number} {tr(unit.name if number == '1' else unit.many)}"


def quantity_words(micros: int, unit: Unit) -> str:
    """Return micros in a unit, followed by three points if the decimals do not end."""
    return with_unit(plain(in_unit(micros, unit)) + ("" if ends_in_unit(micros, unit) else "..."), unit)


def metering_words(metering: Metering, unit: Unit) -> str:
    """`each record rounded half-up to 0.01 minutes, at least 0.02 minutes`."""
    step, least = quantity_words(metering.step, unit), quantity_words(metering.minimum, unit)
    mode = tr(metering.rounding)
    minimum = tr(", at least {quantity}", quantity=least) if metering.minimum else ""
    match metering.per:
        case "record":
            return tr("each record rounded {mode} to {step}{least}", mode=mode, step=step, least=minimum)
        case "cycle":
            counted = tr(", each record at least {quantity}", quantity=least) if metering.minimum else ""
            return tr("the cycle's sum rounded {mode} to {step}{least}", mode=mode, step=step, least=counted)
        case "none":
            return tr("pro rata{least}", least=minimum)


def spec_words(item: Item) -> str:
    return item.template or tr("named by usage")


def sizes_words(item: Item) -> str:
    """`LD 640x480, SD 1280x720`."""
    return ", ".join(f"{size.name} {size.long}x{size.short}" for size in item.resolutions) or tr("none")


def cycle_words(billing: Billing) -> str:
    calendar = billing.calendar
    cycle = mark("hour at {offset}") if calendar.cycle_seconds == HOUR else mark("day at {offset}")
    return tr(cycle, offset=offset_text(calendar.offset))


def rounding_words(billing: Billing) -> str:
    return tr("{mode} to {n} decimal places", mode=tr(billing.mode), n=billing.places)


def length_words(seconds: int) -> str:
    """`1 day and 2 hours`, `30 minutes`."""
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    parts = [
        *([tr_many("{n} day", "{n} days", days)] if days else []),
        *([tr_many("{n} hour", "{n} hours", hours)] if hours else []),
        *([tr_many("{n} minute", "{n} minutes", rest // 60)] if rest // 60 else []),
    ]
    return tr(" and ", sense="length").join(parts) or tr("at once")


def time_words(second: int | None, sheet: PriceSheet) -> str:
    """Return a time on the sheet's billing clock, with the offset."""
    offset = sheet.billing.calendar.offset
    return tr("open") if second is None else f"{time_text(second, offset)} {offset_text(offset)}"


def regions_words(regions: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> str:
    """Return regions in words, with the names of complete groups, and "*" as `every other region`."""
    return tr(", ").join(map(region_words, by_group(regions, groups)))


def region_words(region: str) -> str:
    return tr("every other region") if region == "*" else region


def by_group(regions: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Replace the regions of each complete group by the name of the group: three names instead of ten."""
    left = list(regions)
    names = []
    for group, members in groups.items():
        if members and set(members) <= set(left):
            names.append(group)
            left = [region for region in left if region not in members]
    return [*names, *left]
