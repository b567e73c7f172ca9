"""Limits that the user sets, and by how much they are crossed."""

from __future__ import annotations

from decimal import Decimal

from mps_bill.core.decimals import EXACT, amount_text


def over(shown: Decimal, limit: Decimal | None, currency: str, *, is_part: bool = False) -> str:
    """How far what is payable, or of parts of bills their net amount, is above `--fail-over`, in words; empty where it is
    not."""
    if limit is None or shown <= limit:
        return ""
    more = amount_text(EXACT.subtract(shown, limit))
    what = "net amount" if is_part else "payable"
    return f"{what} {amount_text(shown)} {currency} is above --fail-over {amount_text(limit)} by {more}"


def outstanding(owed: Decimal, currency: str) -> str:
    """What is outstanding against `--fail-on-outstanding`, in words; empty where nothing is."""
    return f"{amount_text(owed)} {currency} outstanding, and --fail-on-outstanding allows none" if owed else ""
