"""Grants: money for some items, as vouchers are, and a source of its own before them."""

from __future__ import annotations

from mps_bill.settlement.sources.money_pots import MoneyPots, list_of_pots


class Grants(MoneyPots):
    __slots__ = ()

    name = "grant"
    title = "Grant"
    words = "grant"
    pool = "grants"
    pool_title = "Grants"
    in_books = "what is left of grants"
    column = "voucher"
    is_granted = True
    entries = list_of_pots("grants", "grants", "a grant", limited=True)
    keys = (entries,)
