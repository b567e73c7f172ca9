"""Refund credits: money given back for earlier bills, used like a card, before cards."""

from __future__ import annotations

from mps_bill.settlement.sources.money_pots import MoneyPots, list_of_pots


class RefundCredits(MoneyPots):
    __slots__ = ()

    name = "refund_credit"
    title = "Refund credit"
    words = "refund credit"
    pool = "refund_credits"
    pool_title = "Refund credits"
    in_books = "what is left of refund credits"
    column = "cash"
    entries = list_of_pots("refund_credits", "refund credits", "a refund credit")
    keys = (entries,)
