"""The headlines and the summary of a run of many accounts. Each account's result is a view of its own, which is written as soon
as it is ready and then forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from mps_bill.ask.all_accounts import RunSum
from mps_bill.core.decimals import ZERO
from mps_bill.core.language import tr, tr_many
from mps_bill.metering.groups import ControlTotals
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN
from mps_bill.rating.bills import Amounts
from mps_bill.view.bill_records import RECORDS
from mps_bill.view.bill_view import money_columns
from mps_bill.view.columns import Column
from mps_bill.view.reading_report import control_totals_text
from mps_bill.view.tables import Block, Note, Records, Section, Table

FORMAT = "mps-bill/account-bills/1"
#: Rows of the summary by account; one more row has the sums of all further accounts.
SUMMARY_ROWS = 1000


class AccountsView:
    """A headline for each account, and a summary by account with the sums of all accounts."""

    def __init__(self, currency: str, *, settled: bool) -> None:
        self._currency = currency
        self._settled = settled
        self._shown: list[tuple[str, RunSum]] = []
        self._rest: RunSum | None = None

    def add(self, account_id: str, run_sum: RunSum) -> None:
        if len(self._shown) < SUMMARY_ROWS:
            self._shown.append((account_id, run_sum))
        else:
            self._rest = self._rest + run_sum if self._rest else run_sum

    def headline(self, account_id: str) -> Section:
        return Section(tr("Account {id}", id=account_id))

    def summary(self, total: RunSum, control_totals: ControlTotals) -> Iterator[Block]:
        yield Section(tr("All accounts"), implied=True)
        amounts, discounted = Amounts(is_part="net_amount" in total.money), "discount" in total.money
        outstanding = (Column("Outstanding", "amount"),) if self._settled else ()
        bills = (Column("Account"), Column("Bills", "count"), Column("Rows", "count"))
        rest = [(tr("and {n} more", n=self._rest.accounts), self._rest)] if self._rest else []
        shown = [*self._shown, *rest]
        columns = (*bills, *money_columns(amounts, self._currency, discounted=discounted), *outstanding)
        names = (*amounts.figures(discounted=discounted), *(("outstanding",) if self._settled else ()))
        rows = [self._row(*account, names) for account in shown]
        title = tr_many("{n} account", "{n} accounts", total.accounts)
        yield Table(title, columns, rows, (self._row(tr("Total"), total, names),))
        yield Note(control_totals_text(control_totals))

    def _row(self, name: str, sums: RunSum, names: Sequence[str]) -> tuple[Any, ...]:
        return (name, sums.bills, sums.control_totals.rows_read, *(sums.money.get(name, ZERO) for name in names))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of records: the account, then those of a run of one account."""
        from mps_bill.view.settle_records import SETTLED

        return (Column(ACCOUNT_COLUMN), *(SETTLED if self._settled else RECORDS))

    def records(self, account_id: str, records: Records) -> Records:
        columns = (Column(ACCOUNT_COLUMN), *records.columns)
        return Records(columns, ({ACCOUNT_COLUMN: account_id, **record} for record in records.rows))

    def head(self) -> dict[str, Any]:
        """Return the beginning of the document, before its list `accounts`."""
        return {"format": FORMAT, "currency": self._currency}

    def document(self, account_id: str, document: dict[str, Any]) -> dict[str, Any]:
        return {ACCOUNT_COLUMN: account_id, **document}

    def tail(self, total: RunSum, control_totals: ControlTotals) -> dict[str, Any]:
        """Return the end of the document."""
        return {"control_totals": asdict(control_totals), "total": total.money}
