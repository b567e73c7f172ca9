"""A year of hourly bills, rated and paid, compared with a bare loop of one Decimal multiplication and addition per line.

    python benchmarks/settle_year.py [--hours 8760] [--lines 30] [--runs 5]

Both run in this process in turn (loop, year, loop, year, ...), and the ratio is that of the medians of processor time. It is
printed with the garbage collector on, as in a program that embeds the package, and with it off, as in the command.
"""

from __future__ import annotations

import argparse
import decimal
import gc
import statistics
import time
from collections.abc import Callable
from decimal import Decimal

from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.times import HOUR
from mps_bill.metering.assign import Assignment
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.load_sheets import load_price_book
from mps_bill.price_sheet.price_kinds.flat import FlatPrice
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.rating.bills import Cycle, cycles
from mps_bill.rating.lines import TagShare, TagShares, charge_for
from mps_bill.settlement.account import Account
from mps_bill.settlement.settle_cycles import Settled, settle
from mps_bill.settlement.sources.balance import Balance

#: Millionths of the base unit that a line uses in an hour; every line of every hour has a different quantity.
STEP = 61_234_567


def flat_lines(sheet: PriceSheet, count: int) -> list[tuple[Item, str, FlatPrice]]:
    """Return the first `count` specs of a sheet that have a flat price in cn-shanghai."""
    found = []
    for item in sheet.items.values():
        for spec in item.prices:
            priced = sheet.price(item, spec, "cn-shanghai")
            if priced and isinstance(priced.price, FlatPrice) and item.metering.per != "cycle":
                found.append((item, spec, priced.price))
    assert len(found) >= count, f"{sheet.ref} has only {len(found)} flat prices"
    return found[:count]


Sums = list[tuple[Assignment, TagShares]]


def year(book: PriceBook, hours: int, lines: int) -> tuple[Sums, list[tuple[Decimal, Decimal]]]:
    """Return the sums of every hour, and the same as pairs of quantity and price for the bare loop."""
    sheet = next(iter(book.sheets))
    first = sheet.billing.calendar.cycle_start(sheet.effective_from + HOUR)
    chosen = flat_lines(sheet, lines)
    sums, pairs = [], []
    for hour in range(hours):
        for number, (item, spec, price) in enumerate(chosen):
            micros = STEP * (hour % 977 + 1) + 10_000 * number
            start = first + hour * HOUR
            sums.append((Assignment(sheet, item, spec, "cn-shanghai", start), (TagShare((), micros, 1),)))
            pairs.append((Decimal(micros).scaleb(-6), price.unit_price))
    return sums, pairs


def bare_loop(pairs: list[tuple[Decimal, Decimal]]) -> Decimal:
    total = ZERO
    for quantity, price in pairs:
        total += quantity * price
    return total


def made(sums: Sums, book: PriceBook) -> tuple[Cycle, ...]:
    return cycles((charge_for(of, shares, (), book) for of, shares in sums), book)


def pay(cycles_: tuple[Cycle, ...], book: PriceBook) -> Settled:
    """Settle the bills from an account that has enough of everything for the whole year."""
    return settle(cycles_, Account("benchmark", book.currency).having(Balance(Decimal(10) ** 11)), book)


def seconds(work: Callable[[], object]) -> float:
    """Return processor seconds, including the time to drop the result, as at the end of a run."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=8760)
    parser.add_argument("--lines", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    book, problems = load_price_book(["mps-china"])
    assert book, problems
    with decimal.localcontext(EXACT):
        sums, pairs = year(book, options.hours, options.lines)
        ready = made(sums, book)
        works: dict[str, Callable[[], object]] = {
            "bare loop": lambda: bare_loop(pairs),
            "settle": lambda: pay(ready, book),
            "sums to cycles, and settle": lambda: pay(made(sums, book), book),
        }
        print(f"{options.hours} hourly bills of {options.lines} lines; medians of {options.runs} runs in turn")
        for collector, switch in (("with", gc.enable), ("without", gc.disable)):
            switch()
            took: dict[str, list[float]] = {name: [] for name in works}
            for _ in range(options.runs):
                for name, work in works.items():
                    took[name].append(seconds(work))
            bare, *rest = (statistics.median(times) for times in took.values())
            print(f"{collector} the garbage collector: bare loop {bare:.3f} s")
            for name, median in zip(list(works)[1:], rest, strict=True):
                print(f"  {name}: {median:.3f} s, {median / bare:.1f} x the bare loop")


if __name__ == "__main__":
    main()
