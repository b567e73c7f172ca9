"""Stored-value cards pay any bill within their validity, the earliest expiry first."""

from __future__ import annotations

from mps_bill.core.language import mark
from mps_bill.documents.shapes import ListOf, Record, optional
from mps_bill.settlement.sources.money_pots import POT_KEYS, MoneyPot, MoneyPots

_CARD = Record("a stored-value card", POT_KEYS)


class StoredValueCard(MoneyPot):
    __slots__ = ()


class StoredValueCards(MoneyPots[StoredValueCard]):
    __slots__ = ()

    name = "stored_value_card"
    title = mark("Stored-value card")
    pool = "stored_value_cards"
    pool_title = mark("Stored-value cards", "paid")
    column = "card"
    entries = optional(
        "stored_value_cards", ListOf("the stored-value cards", _CARD, may_be_empty=True), "stored-value cards"
    )
    pot = StoredValueCard
    keys = (entries,)
