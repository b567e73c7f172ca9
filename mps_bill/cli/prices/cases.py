"""`mps-bill prices test`: the price cases of price sheets, run like unit tests."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import options
from mps_bill.cli.options import argument
from mps_bill.cli.output_options import OutputOptions, shows

_PATHS = "Price sheets with cases next to them (NAME.cases.yaml), case files, folders, globs, or ids of shipped sheets."


@shows("lines", "document", "suites")
def run_tests(
    paths: Annotated[list[str], argument("PATH", _PATHS)],
    *,
    output: OutputOptions,
    quiet: options.Quiet = False,
) -> int:
    """Run the price cases of price sheets, like unit tests.

    A price case has usage rows and the expected amounts.

    Exit codes: 0 every case passed; 1 a case failed; 2 wrong command line; 3 a sheet or a case file is wrong.
    """
    from mps_bill.ask.price_cases.read_cases import load_cases
    from mps_bill.ask.price_cases.run_cases import run_cases
    from mps_bill.view.case_view import CaseView

    view = CaseView([run_cases(file) for file in load_cases(paths)])
    output.show(view)
    return output.end(notices=(view.summary,), found=bool(view.failed), quiet=quiet)
