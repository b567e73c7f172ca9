"""A journal for beancount, which asserts balances at the beginning of a day, with no tolerance (`~ 0`)."""

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
    yield f'option "operating_currency" "{journal.currency}"'
    width = max(map(len, journal.accounts))
    if journal.opens:
        yield ""
        yield from (f"{journal.opens.date} open {account}" for account in journal.accounts)
        yield from _transaction(journal.opens, width)
    yield from _balances(journal.start, journal.opening, width)
    for transaction in journal.transactions:
        yield from _transaction(transaction, width)
    yield from _balances(journal.after, journal.closing, width)


def _transaction(transaction: Transaction, width: int) -> Iterator[str]:
    yield ""
    yield f'{transaction.date} * "{transaction.text}"'
    for one in transaction.postings:
        yield f"  {one.account:{width}}  {amount_text(one.amount)} {one.commodity}"


def _balances(date: str, balances: Sequence[Posting], width: int) -> Iterator[str]:
    yield ""
    for one in balances:
        yield f"{date} balance {one.account:{width}}  {amount_text(one.amount)} ~ 0 {one.commodity}"
