"""The specs of an item: derived from codec and size by the item's template, or matched against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mps_bill.price_sheet.sheet_model import Item, Resolution

CODEC = "{codec}"
RESOLUTION = "{resolution}"


@dataclass(frozen=True, slots=True)
class SpecParts:
    """The codec and the resolution in a spec; None if the template has no such part."""

    codec: str | None
    resolution: str | None


@lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern[str]:
    literal = re.escape(template)
    for placeholder, name in ((CODEC, "codec"), (RESOLUTION, "resolution")):
        literal = literal.replace(re.escape(placeholder), f"(?P<{name}>[^.]+)", 1)
    return re.compile(literal)


def split_spec(template: str, spec: str) -> SpecParts | None:
    """Return the parts of `spec` under `template`, such as `H264.HD` under `{codec}.{resolution}`; None if it does not match."""
    match = _pattern(template).fullmatch(spec)
    if not match:
        return None
    parts = match.groupdict()
    return SpecParts(parts.get("codec"), parts.get("resolution"))


def join_spec(template: str, codec: str, resolution: str) -> str:
    """Return the spec of `codec` and `resolution` under `template`."""
    return template.replace(CODEC, codec).replace(RESOLUTION, resolution)


def is_constant(template: str) -> bool:
    return CODEC not in template and RESOLUTION not in template


def bucket(resolutions: tuple[Resolution, ...], long: int, short: int) -> Resolution | None:
    """Return the smallest bucket that holds both sides of the picture; None if the picture is larger than all.

    Source: the provider's transcoding price page. 1920x823 is HD, 1920x1098 is 2K; portrait equals landscape.
    """
    for resolution in resolutions:
        if long <= resolution.long and short <= resolution.short:
            return resolution
    return None


def codecs(item: Item) -> tuple[str, ...]:
    """Return the codecs in the specs of `item`, in the order of its price table."""
    if item.template is None or CODEC not in item.template:
        return ()
    return _codecs(item.template, tuple(item.prices))


# This is called for every group of usage.
@lru_cache(maxsize=1024)
def _codecs(template: str, specs: tuple[str, ...]) -> tuple[str, ...]:
    parts = (split_spec(template, spec) for spec in specs)
    return tuple(dict.fromkeys(part.codec for part in parts if part and part.codec))
