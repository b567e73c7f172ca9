"""Refund credits: money given back for earlier bills, used like a card, before cards."""

from __future__ import annotations

from mps_bill.documents.shapes import Field, ListOf, Record
from mps_bill.settlement.sources.money_pots import POT_KEYS, MoneyPot, MoneyPots


class RefundCredits(MoneyPots[MoneyPot]):
    __slots__ = ()

    name = "refund_credit"
    title = "Refund credit"
    pool = "refund_credits"
    pool_title = "Refund credits"
    column = "cash"
    entries = Field(
        "refund_credits",
        ListOf("the refund credits", Record("a refund credit", POT_KEYS), may_be_empty=True),
        "money given back for earlier bills",
        required=False,
    )
    keys = (entries,)
