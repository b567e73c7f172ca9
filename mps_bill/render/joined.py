"""The views of many accounts, one after the other: printed under headlines, as records under one header, or as documents in the
list of one document."""

from __future__ import annotations

from typing import IO, Any

from mps_bill.ask.all_accounts import RunSum
from mps_bill.metering.groups import ControlTotals
from mps_bill.render.formats import Format
from mps_bill.view.accounts_view import AccountsView
from mps_bill.view.tables import Records


class Joined:
    """Writes the view of each account as soon as it is ready, and at the end the sums of all."""

    def __init__(self, accounts: AccountsView, format_: Format, stream: IO[str]) -> None:
        self._accounts = accounts
        self._part = format_.part
        self._write = format_.writer
        self._stream = stream
        self._first = True

    def add(self, account_id: str, view: Any, run_sum: RunSum) -> None:
        accounts = self._accounts
        match self._part:
            case "printed":
                self._print((accounts.headline(account_id), *view.printed()))
            case "records":
                self._write.write(accounts.records(account_id, view.records()), self._stream, header=self._first)
            case "document":
                document = accounts.document(account_id, view.document())
                if self._first:
                    self._write.begin(accounts.head(), "accounts", self._stream)
                self._write.add(document, self._stream, first=self._first)
        accounts.add(account_id, run_sum)
        self._first = False

    def end(self, total: RunSum, control_totals: ControlTotals) -> None:
        accounts = self._accounts
        match self._part:
            case "printed":
                self._print(accounts.summary(total, control_totals))
            case "records":
                if self._first:
                    self._write.write(Records(accounts.columns, ()), self._stream)
            case "document":
                if self._first:
                    self._write.begin(accounts.head(), "accounts", self._stream)
                self._write.end(accounts.tail(total, control_totals), self._stream, empty=self._first)

    def _print(self, blocks: Any) -> None:
        if not self._first:
            self._stream.write("\n")
        self._write.write(blocks, self._stream)
