"""Stored-value cards pay any bill within their validity, the earliest expiry first."""

from __future__ import annotations

from mps_bill.core.language import mark
from mps_bill.settlement.sources.money_pots import MoneyPots, list_of_pots


class StoredValueCards(MoneyPots):
    __slots__ = ()

    name = "stored_value_card"
    title = mark("Stored-value card")
    pool = "stored_value_cards"
    pool_title = mark("Stored-value cards", "paid")
    words = mark("stored value card")
    in_books = "what is left of stored-value cards"
    column = "card"
    entries = list_of_pots("stored_value_cards", "stored-value cards", "a stored-value card")
    keys = (entries,)
