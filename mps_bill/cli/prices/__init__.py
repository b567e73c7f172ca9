"""`mps-bill prices`: checking, testing, comparing and showing price sheets."""

from __future__ import annotations

from mps_bill.cli.command_help import group_of_commands
from mps_bill.cli.prices.cases import run_tests
from mps_bill.cli.prices.check import check
from mps_bill.cli.prices.diff import diff
from mps_bill.cli.prices.show import history, list_sheets, show
from mps_bill.cli.schema import schema

prices = group_of_commands("Check, test, compare and show price sheets.")
prices.command()(check)
prices.command("test")(run_tests)
prices.command()(diff)
prices.command()(show)
prices.command()(history)
prices.command("list")(list_sheets)
# The former name of `mps-bill schema`, from when only price sheets had a schema.
prices.command(hidden=True)(schema)
