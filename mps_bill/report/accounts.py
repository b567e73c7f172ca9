"""The results of many accounts, each written when it is there and then forgotten: JSON, CSV, tables."""

from __future__ import annotations

import csv
import dataclasses
import json
from textwrap import indent
from typing import IO, Protocol

from mps_bill.ask.all_accounts import RunSum, sum_of
from mps_bill.core.decimals import amount_text, stripped
from mps_bill.core.diagnostics import printable
from mps_bill.metering.usage import ACCOUNT_COLUMN, ControlTotals
from mps_bill.pipeline import BillRun, SettleRun
from mps_bill.render import markdown, terminal
from mps_bill.render.markdown import escaped
from mps_bill.report.bill_csv import COLUMNS, bills_rows, spreadsheet_text
from mps_bill.report.bill_json import bill_run_json
from mps_bill.report.bill_tables import bill_document
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.document import Document, Note, Row, Table, number, text
from mps_bill.report.settle_csv import SETTLEMENT_COLUMNS, settlement_rows
from mps_bill.report.settle_json import settle_run_json
from mps_bill.report.settle_tables import settle_document

FORMAT = "mps-bill/account-bills/1"
#: Rows of the summary by account; what the accounts behind them come to is one row more.
SUMMARY_ROWS = 1000


class Writer(Protocol):
    """Writes the result of each account as it comes."""

    def add(self, account_id: str, run: BillRun | SettleRun) -> None: ...
    def end(self, total: RunSum, control_totals: ControlTotals) -> None:
        """Writes what all accounts come to."""
        ...


class JsonWriter:
    """One document, format `mps-bill/account-bills/1`; each account in it is a document of `bill` or `settle`."""

    def __init__(self, stream: IO[str], currency: str) -> None:
        self._stream = stream
        self._separator = "\n"
        head = f'"format": {json.dumps(FORMAT)},\n  "currency": {json.dumps(currency)}'
        stream.write(f'{{\n  {head},\n  "accounts": [')

    def add(self, account_id: str, run: BillRun | SettleRun) -> None:
        document = bill_run_json(run) if isinstance(run, BillRun) else settle_run_json(run)
        shown = json.dumps({ACCOUNT_COLUMN: account_id, **document}, ensure_ascii=False, indent=2)
        # A line end inside a text is escaped in JSON, so every line here begins between two tokens.
        self._stream.write(self._separator + indent(shown, "    "))
        self._separator = ",\n"

    def end(self, total: RunSum, control_totals: ControlTotals) -> None:
        tail = {
            "control_totals": dataclasses.asdict(control_totals),
            "total": {name: stripped(amount) for name, amount in total.money.items()},
        }
        closing = json.dumps(tail, indent=2).removeprefix("{")
        self._stream.write(("\n  ]" if total.accounts else "]") + "," + closing + "\n")


class CsvWriter:
    """The rows of `bill` or `settle`, each behind its account."""

    def __init__(self, stream: IO[str], *, settled: bool) -> None:
        self._writer = csv.writer(stream)
        self._writer.writerow((ACCOUNT_COLUMN, *(SETTLEMENT_COLUMNS if settled else COLUMNS)))

    def add(self, account_id: str, run: BillRun | SettleRun) -> None:
        match run:
            case BillRun():
                rows = bills_rows(run.bills, run.pending, run.months, run.currency)
            case SettleRun():
                rows = settlement_rows(run)
        shown = spreadsheet_text(account_id)
        self._writer.writerows((shown, *row) for row in rows)

    def end(self, total: RunSum, control_totals: ControlTotals) -> None:
        """A CSV has no totals."""


class TableWriter:
    """The report of each account under a heading, and a summary by account."""

    def __init__(
        self,
        stream: IO[str],
        currency: str,
        by: tuple[str, ...],
        in_full: int | None,
        *,
        settled: bool,
        is_markdown: bool,
    ) -> None:
        self._stream = stream
        self._currency = currency
        self._by = by
        self._in_full = in_full
        self._settled = settled
        self._markdown = is_markdown
        self._rows: list[Row] = []
        self._rest: RunSum | None = None

    def add(self, account_id: str, run: BillRun | SettleRun) -> None:
        if self._markdown:
            self._stream.write(f"## Account {escaped(account_id)}\n\n")
        else:
            heading = f"Account {printable(account_id)}"
            self._stream.write(f"{heading}\n{'=' * len(heading)}\n\n")
        if isinstance(run, BillRun):
            self._print(bill_document(run, self._by, self._in_full))
        else:
            self._print(settle_document(run, self._in_full))
        self._stream.write("\n")
        comes_to = sum_of(run)
        if len(self._rows) < SUMMARY_ROWS:
            self._rows.append(self._row(account_id, comes_to))
        else:
            self._rest = self._rest + comes_to if self._rest else comes_to

    def end(self, total: RunSum, control_totals: ControlTotals) -> None:
        rows = list(self._rows)
        if self._rest:
            rows.append(self._row(f"and {self._rest.accounts} more", self._rest))
        columns = (
            text("Account"),
            number("Bills"),
            number("Rows"),
            number("List amount"),
            number("Rounding"),
            number(f"Payable {self._currency}"),
            *((number("Outstanding"),) if self._settled else ()),
        )
        title = f"{total.accounts} account{'' if total.accounts == 1 else 's'}"
        table = Table(title, columns, tuple(rows), (self._row("Total", total),))
        if self._markdown:
            self._stream.write("## All accounts\n\n")
        self._print(Document((table, Note(control_totals_text(control_totals)))))

    def _row(self, name: str, sums: RunSum) -> Row:
        names = ("list_amount", "rounding_adjustment", "payable", *(("outstanding",) if self._settled else ()))
        money = (amount_text(sums.money[name]) for name in names)
        return (name, str(sums.bills), str(sums.control_totals.rows_read), *money)

    def _print(self, document: Document) -> None:
        if self._markdown:
            markdown.write(document.blocks, self._stream)
        else:
            terminal.write(document.blocks, self._stream)
