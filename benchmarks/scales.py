"""Growth of a settlement in one dimension at a time: pairs of the same work at two sizes, and the files that they read.

`run.py` measures them as whole processes. A goal of 11 for ten times the size means that time grows in proportion to size.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

#: The clock of the shipped sheets, and the first hour of all usage.
_CLOCK = timezone(timedelta(hours=8))
_START = datetime(2023, 11, 10, tzinfo=_CLOCK)
_REGIONS = (
    "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-hangzhou", "cn-shanghai",
    "cn-shenzhen", "cn-huhehaote", "cn-chengdu", "cn-guangzhou", "cn-nanjing",
)  # fmt: skip
_SPECS = 10
#: The number of hours in five years.
_FIVE_YEARS = 43_800
_ACCOUNT = "format: mps-bill/account/1\nid: {id}\ncurrency: CNY\nbalance: {balance}\n"
_VOUCHER = "  - {{id: v-{n}, face_value: 50, effective_from: {start}, expires_at: {year}-12-01T00:00:00+08:00}}\n"
_RICH = "900000000000.00"
_SHEET = """\
format: mps-bill/price-sheet/1
id: scale
site: china
product: scale
currency: CNY
effective_from: 2023-11-01T00:00:00+08:00
sources:
  - {id: made-up, url: "https://example.com", read_on: 2026-11-01, covers: everything}
billing: {cycle: hour, timezone: "+08:00", issue_after: 1h, settlement: hourly, rounding: {places: 2, mode: down}}
items:
"""


class Scale(NamedTuple):
    """A pair of commands, the function that makes their files, and the goal for the ratio A / B."""

    name: str
    make: Callable[[], None]
    a: Sequence[str]
    b: Sequence[str]
    goal: str


def write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(lines)


def hours(count: int, first: int = 0) -> Iterator[str]:
    """One record in each of `count` hours."""
    yield "job_id,completed_at,region,item,codec,width,height,quantity,unit,status\n"
    for n in range(first, first + count):
        at = (_START + timedelta(hours=n, minutes=30)).isoformat()
        yield f"j-{n},{at},cn-shanghai,transcoding,H264,1920,1080,{n % 977 + 1}.{n % 100:02},minute,success\n"


def account(vouchers: int = 0, balance: str = _RICH, id_: str = "scale") -> Iterator[str]:
    yield _ACCOUNT.format(id=id_, balance=balance)
    if vouchers:
        yield "vouchers:\n"
    for n in range(vouchers):
        yield _VOUCHER.format(n=n, start="2023-11-01T00:00:00+08:00", year=2024 + n % 50)


def sheet(items: int, specs: int = 1) -> Iterator[str]:
    yield _SHEET
    for item in range(items):
        yield f"  item{item}:\n    name: Item {item}\n    family: transcoding\n    unit: minute\n"
        yield "    metering: {per: none}\n    prices:\n"
        for spec in range(specs):
            yield f'      s{spec}: {{"*": 0.{(item * 7 + spec) % 977 + 1:04}}}\n'


def one_cycle(lines: int) -> Iterator[str]:
    """One record for each of `lines` items, specs and regions of a sheet, in one hour."""
    yield "job_id,completed_at,region,item,spec,quantity,unit\n"
    for n in range(lines):
        rest, region = divmod(n, len(_REGIONS))
        item, spec = divmod(rest, _SPECS)
        yield f"j-{n},{_START.isoformat()},{_REGIONS[region]},item{item},s{spec},{n % 977 + 1}.25,minute\n"


def accounts(folder: Path, count: int) -> None:
    """Make a folder of accounts, and usage with one record for each."""
    folder.mkdir()
    head, row = hours(1)
    for n in range(count):
        write(folder / f"a{n}.yaml", account(id_=f"a{n}"))
    rows = (f"a{n},{row.replace('j-0', f'j-{n}')}" for n in range(count))
    write(folder.with_suffix(".csv"), (f"account_id,{head}", *rows))


def scales(folder: Path, command: Sequence[str], share: int) -> list[Scale]:
    """Return the pairs at full size divided by `share`; `command` starts the program."""

    def settle(usage: str, payer: str, *options: str) -> tuple[str, ...]:
        prices = options or ("-p", "mps-china")
        return (*command, "settle", str(folder / usage), *prices, "-a", str(folder / payer), "--allow-future", "-q")

    def saved(usage: str, payer: str) -> tuple[str, ...]:
        """Save the account as well; each run begins with a copy."""
        kept, run = folder / payer, folder / f"run-{payer}"
        line = shlex.join((*settle(usage, run.name), "--in-place"))
        return ("sh", "-c", f"cp {shlex.quote(str(kept))} {shlex.quote(str(run))} && exec {line}")

    def settled(payer: str, balance: str) -> Callable[[], None]:
        def make() -> None:
            write(folder / "behind.csv", hours(_FIVE_YEARS // share))
            write(folder / "next.csv", hours(1, _FIVE_YEARS // share))
            write(folder / "new.yaml", account(balance=balance))
            write(folder / payer, account(balance=balance))
            subprocess.run((*settle("behind.csv", payer), "--in-place"), check=True, stdout=subprocess.DEVNULL)

        return make

    def made(name: str, content: Callable[[int], Iterable[str]], *sizes: int) -> Callable[[], None]:
        def make() -> None:
            for size in sizes:
                write(folder / name.format(size), content(size))

        return make

    def both(*makers: Callable[[], None]) -> Callable[[], None]:
        def make() -> None:
            for one in makers:
                one()

        return make

    few, many = 100_000 // share, 1_000_000 // share
    small, large = 1_000 // share, 10_000 // share
    rich = made("rich.yaml", lambda _: account(), 0)
    thousand = made("thousand.csv", hours, 1_000)
    hour = made("hour.csv", hours, 1)

    def priced(size: int) -> tuple[str, ...]:
        return settle("hour.csv", "rich.yaml", "-p", "mps-china", "-p", str(folder / f"items-{size}.yaml"))

    def cycle(size: int) -> tuple[str, ...]:
        return settle(f"lines-{size}.csv", "rich.yaml", "-p", str(folder / f"priced-{size}.yaml"))

    lines = (10_000 // share, 100_000 // share)
    return [
        Scale(
            "an hour, five years behind it / a new account",
            settled("paid.yaml", _RICH),
            saved("next.csv", "paid.yaml"),
            saved("next.csv", "new.yaml"),
            "1.2",
        ),
        Scale(
            "an hour, five years outstanding / a new account",
            settled("owing.yaml", "0"),
            saved("next.csv", "owing.yaml"),
            saved("next.csv", "new.yaml"),
            "",
        ),
        Scale(
            f"{many:,} hourly bills / {few:,}",
            both(rich, made("hours-{}.csv", hours, few, many)),
            settle(f"hours-{many}.csv", "rich.yaml"),
            settle(f"hours-{few}.csv", "rich.yaml"),
            "11",
        ),
        Scale(
            f"{few:,} hourly bills outstanding / {few // 10:,}",
            both(made("poor.yaml", lambda _: account(balance="0"), 0), made("owed-{}.csv", hours, few // 10, few)),
            settle(f"owed-{few}.csv", "poor.yaml"),
            settle(f"owed-{few // 10}.csv", "poor.yaml"),
            "11",
        ),
        Scale(
            f"a cycle of {lines[1]:,} lines / {lines[0]:,}",
            both(
                rich,
                made("lines-{}.csv", one_cycle, *lines),
                made("priced-{}.yaml", lambda size: sheet(max(1, size // 100), _SPECS), *lines),
            ),
            cycle(lines[1]),
            cycle(lines[0]),
            "11",
        ),
        Scale(
            f"1,000 hours and {large:,} vouchers / {small:,}",
            both(thousand, made("vouchers-{}.yaml", account, small, large)),
            settle("thousand.csv", f"vouchers-{large}.yaml"),
            settle("thousand.csv", f"vouchers-{small}.yaml"),
            "11",
        ),
        Scale(
            f"a sheet of {large:,} items / {small:,}",
            both(rich, hour, made("items-{}.yaml", sheet, small, large)),
            priced(large),
            priced(small),
            "11",
        ),
        Scale(
            f"{few:,} accounts / {few // 10:,}",
            both(lambda: accounts(folder / "few", few // 10), lambda: accounts(folder / "many", few)),
            settle("many.csv", "many"),
            settle("few.csv", "few"),
            "11",
        ),
    ]
