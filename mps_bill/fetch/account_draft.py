"""A draft of an account file from the provider's answers about an account.

A value that the provider does not give is `FILL IN`, which no reader of account files accepts, so nothing is settled on a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mps_bill.core.diagnostics import printable
from mps_bill.core.times import clock, iso, parse_second
from mps_bill.fetch import listings
from mps_bill.fetch.listings import BILLING_CLOCK
from mps_bill.fetch.paging import FetchFailed

FILL_IN = "FILL IN"

Row = Mapping[str, Any]
_OFFSET = BILLING_CLOCK.offset
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: Amounts may have commas between thousands, and zeros after the cents.
_MONEY = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(\.[0-9]{1,2})?0*")
_QUANTITY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_ZERO = re.compile(r"0+(\.0+)?")
#: The provider's spellings of units of plans, by the word in an account file.
_UNITS = {
    "minute": ("minute", "minutes", "min", "分钟"),
    "hour": ("hour", "hours", "小时"),
    "GB": ("gb",),
    "TB": ("tb",),
}
_AVAILABLE, _NOT_ANSWERED = "available", "not answered"


def account_draft(rows: Mapping[str, Sequence[Row]], now: int) -> str:
    """The text of an account file, from the rows of each action in `listings.ACCOUNT` as they were at `now`.

    Raises:
        FetchFailed: the provider does not name the currency.
    """
    (balance,) = rows[listings.ACCOUNT_BALANCE.action]
    at = clock(now, _OFFSET)
    return "".join(
        f"{line}\n"
        for line in (
            f"# The account as the provider answered on {at} (UTC+8). Replace every {FILL_IN}; settle refuses the file",
            "# until then.",
            *_head(balance, now),
            *_listed("resource_plans", rows[listings.RESOURCE_PACKAGES.action], "plan", _plan, now),
            *_listed("vouchers", rows[listings.CASH_COUPONS.action], "voucher", _voucher, now),
            *_listed("stored_value_cards", rows[listings.PREPAID_CARDS.action], "card", _card, now),
            "# The provider does not report the discounts of the contract, when bills are settled and vouchers pay, the",
            "# month's use of tiers, or the outstanding bills. Without the keys discounts, settlement, vouchers_at,",
            "# month_used and outstanding there are none, and the price sheets decide.",
        )
    )


def _head(balance: Row, now: int) -> Iterable[str]:
    currency = _text(balance, "Currency")
    if not re.fullmatch("[A-Z]{3}", currency):
        raise FetchFailed("the answer to QueryAccountBalance has no currency; nothing is written")
    credit = {key: _text(balance, key) for key in ("CreditAmount", "MybankCreditAmount")}
    named = ", ".join(f"{key} {value}" for key, value in credit.items() if value) or "no CreditAmount"
    answered = ", ".join(f"{key} {_text(balance, key)}" for key in sorted(balance))
    yield "format: mps-bill/account/1"
    yield "# A name of your choice, such as studio-a."
    yield f"id: {FILL_IN}"
    yield f"currency: {currency}"
    yield f"# QueryAccountBalance: {answered}."
    cash = _money(balance, "AvailableCashAmount")
    if cash == FILL_IN:
        yield "# The cash is not an amount of at least 0 with two decimal places; enter what is owed under outstanding."
    yield f"balance: {cash}"
    if all(not value or _ZERO.fullmatch(value.replace(",", "")) for value in credit.values()):
        yield "credit_line: 0"
    else:
        yield f"# {named}: the provider does not say whether that is the whole credit line or what is left of it. Enter the"
        yield "# whole line, and the used part as credit_used."
        yield f"credit_line: {FILL_IN}"
    yield "# Cycles that end by this time are already paid, and not from the amounts in this file. The last bill paid before"
    yield f"# {iso(now, _OFFSET)} is for a cycle some hours earlier. Without this time, paid cycles would be charged again."
    yield f"settled_through: {FILL_IN}"


def _listed(key: str, rows: Sequence[Row], word: str, entry: Any, now: int) -> Iterable[str]:
    """The lines of a list in the file. Entries that are used up or have expired are left out, with a comment."""
    kept: list[str] = []
    for row in rows:
        id_, left_out = _id(row), _left_out(row, now)
        if left_out:
            kept.append(f"  # {word} {id_} is left out: {left_out}.")
        else:
            kept += entry(row)
    if any(line.startswith("  - ") for line in kept):
        return [f"{key}:", *kept]
    return [line.strip() for line in kept]


def _left_out(row: Row, now: int) -> str:
    left = _text(row, "Balance") or _text(row, "RemainingAmount")
    end = _second(row, "ExpiryTime")
    if _ZERO.fullmatch(left.replace(",", "")):
        return "nothing is left of it"
    return f"it expired on {clock(end, _OFFSET)}" if end is not None and end <= now else ""


def _plan(row: Row) -> Iterable[str]:
    products = _named(row, "ApplicableProducts")
    about = ("Remark", "PackageType", "CommodityCode", "DeductType", "Status")
    yield f"  # {', '.join(f'{field} {_text(row, field)}' for field in about if _text(row, field)) or 'A plan'}"
    yield f"  - id: {_identifier(row)}"
    name = _text(row, "Remark")
    if name:
        yield f"    name: {_quoted(name)}"
    units = {_text(row, key).casefold() for key in ("TotalAmountUnit", "RemainingAmountUnit")}
    unit = next((word for word, spellings in _UNITS.items() if units <= set(spellings)), FILL_IN)
    if unit == FILL_IN:
        yield f"    # TotalAmountUnit {_text(row, 'TotalAmountUnit')}, RemainingAmountUnit {_text(row, 'RemainingAmountUnit')}."
    yield f"    unit: {unit}"
    total, remaining = _quantity(row, "TotalAmount"), _quantity(row, "RemainingAmount")
    if unit == FILL_IN and len(units) > 1:
        # Whichever unit is filled in, one of the amounts would be wrong.
        yield f"    # TotalAmount {total} {_text(row, 'TotalAmountUnit')}; enter it in the unit above."
        yield f"    total: {FILL_IN}"
        yield f"    # RemainingAmount {remaining} {_text(row, 'RemainingAmountUnit')}; enter it in the unit above."
        yield f"    remaining: {FILL_IN}"
    else:
        yield f"    total: {total}"
        yield from _remaining(row, remaining)
    yield from _validity(row)
    yield f"    # Region {_text(row, 'Region') or _NOT_ANSWERED}. Name the regions where it can be used, such as"
    yield "    # [cn-shanghai], or remove the line if it can be used everywhere."
    yield f"    regions: {FILL_IN}"
    yield f"    # ApplicableProducts {products}. For each item and spec, enter how much of the plan one unit takes, such as"
    yield "    # {transcoding: {H264.LD: 1, H264.SD: 1.5, H264.HD: 3}}; or remove the plan if it covers nothing that is"
    yield "    # billed here."
    yield f"    covers: {FILL_IN}"


def _voucher(row: Row) -> Iterable[str]:
    yield from _pot(row)
    products = _named(row, "ApplicableProducts")
    scenarios = _named(row, "ApplicableScenarios")
    yield f"    # ApplicableProducts {products}, ApplicableScenarios {scenarios}. Name the items that it pays for, such as"
    yield "    # [transcoding], or remove the line if it pays for all items; add minimum_amount if it has one."
    yield f"    items: {FILL_IN}"


def _card(row: Row) -> Iterable[str]:
    products = _named(row, "ApplicableProducts")
    yield f"  # ApplicableProducts {products}; remove the card if it does not pay for what is billed here."
    # In an account file a card has no products, so a person must decide whether it pays.
    yield from _pot(row, "" if products == _NOT_ANSWERED else f"ApplicableProducts {products}")


def _pot(row: Row, restricted: str = "") -> Iterable[str]:
    yield f"  - id: {_identifier(row)}"
    yield f"    face_value: {_money(row, 'NominalValue')}"
    yield from _remaining(row, _money(row, "Balance"), restricted)
    yield from _validity(row)


def _remaining(row: Row, amount: str, restricted: str = "") -> Iterable[str]:
    status = _text(row, "Status")
    doubtful = f"Status {status}" if status and status.casefold() != _AVAILABLE else restricted
    if doubtful:
        yield f"    # {doubtful}: enter {amount} if it can be used, or remove the entry."
    yield f"    remaining: {FILL_IN if doubtful else amount}"


def _validity(row: Row) -> Iterable[str]:
    for key, field in (("effective_from", "EffectiveTime"), ("expires_at", "ExpiryTime")):
        second = _second(row, field)
        if second is None:
            yield f"    # {field} {_text(row, field) or _NOT_ANSWERED}."
        yield f"    {key}: {FILL_IN if second is None else iso(second, _OFFSET)}"


def _id(row: Row) -> str:
    """The number that people know it by, or else the id."""
    keys = ("CashCouponNo", "PrepaidCardNo", "InstanceId", "CashCouponId", "PrepaidCardId")
    return next((text for key in keys if (text := _text(row, key))), "")


def _identifier(row: Row) -> str:
    id_ = _id(row)
    # Other programs would read digits alone as a number, so an id is in quotes.
    return _quoted(id_) if _ID.fullmatch(id_) else FILL_IN


def _money(row: Row, field: str) -> str:
    match = _MONEY.fullmatch(_text(row, field))
    return match[1].replace(",", "") + (match[2] or "") if match else FILL_IN


def _quantity(row: Row, field: str) -> str:
    text = _text(row, field)
    return text if _QUANTITY.fullmatch(text) else FILL_IN


def _second(row: Row, field: str) -> int | None:
    try:
        return parse_second(_text(row, field))
    except ValueError:
        return None


def _named(row: Row, field: str) -> str:
    value: Any = row.get(field)
    if isinstance(value, Mapping):
        value = next(iter(value.values()), None)
    words = value if isinstance(value, list) else [value]
    return printable(", ".join(str(word) for word in words if word)) or _NOT_ANSWERED


def _text(row: Row, field: str) -> str:
    """A value as text on one line, so that it cannot become more than a value or a comment in the file."""
    value = row.get(field)
    return printable(value.strip()) if isinstance(value, str) else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
