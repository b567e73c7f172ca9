"""Every kind of price, each a file that says all about it: how a sheet writes it, what a quantity costs, how it shows."""

from __future__ import annotations

from mps_bill.price_sheet.price_kinds.flat import FlatPrice
from mps_bill.price_sheet.price_kinds.graduated import GraduatedPrice
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.price_kinds.volume import VolumePrice

PRICE_KINDS: tuple[type[Price], ...] = (FlatPrice, GraduatedPrice, VolumePrice)
