"""A journal for hledger, which asserts balances in postings, in the order of dates and, within a date, of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from mps_bill.core.decimals import amount_text
from mps_bill.view.journal import Journal, Posting, Transaction


def write(journal: Journal, stream: IO[str]) -> None:
    stream.writelines(f"{line}\n" for line in _lines(journal))


def _lines(journal: Journal) -> Iterator[str]:
    yield f"; {journal.title}."
    if not journal.start:
        yield "; Nothing happened."
        return
    yield "decimal-mark ."
    yield from (f"commodity 0.{'0' * places} {_symbol(name)}" for name, places in journal.places.items())
    yield from (f"account {account}" for account in journal.accounts)
    width = max(map(len, journal.accounts))
    if journal.opens:
        yield from _transaction(journal.opens, width)
    yield from _balances(journal.start, "Opening balances, asserted", journal.opening, width)
    for transaction in journal.transactions:
        yield from _transaction(transaction, width)
    yield from _balances(journal.end, "Closing balances, asserted", journal.closing, width)


def _transaction(transaction: Transaction, width: int) -> Iterator[str]:
    yield ""
    yield f"{transaction.date} * {transaction.text}"
    for one in transaction.postings:
        yield f"    {one.account:{width}}  {_amount(one)}"


def _balances(date: str, text: str, balances: Sequence[Posting], width: int) -> Iterator[str]:
    yield ""
    yield f"{date} * {text}"
    for one in balances:
        yield f"    {one.account:{width}}  0 {_symbol(one.commodity)} = {_amount(one)}"


def _amount(posting: Posting) -> str:
    return f"{amount_text(posting.amount)} {_symbol(posting.commodity)}"


def _symbol(commodity: str) -> str:
    return commodity if commodity.isalpha() else f'"{commodity}"'
