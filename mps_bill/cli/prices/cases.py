"""`mps-bill prices test`: usage cases beside price sheets, run like unit tests."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.output import open_output, say


class CaseFormat(StrEnum):
    """How results are printed."""

    text = "text"
    json = "json"
    junit = "junit"


def run_tests(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Price sheets that have cases beside them (NAME.cases.yaml), the cases, folders, globs or shipped ids.",
        ),
    ],
    format_: Annotated[CaseFormat, typer.Option("--format", "-f", help="How to print.")] = CaseFormat.text,
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> int:
    """Run the usage cases beside price sheets, like unit tests.

    A case is usage rows and the amounts that they must come to.

    Exit codes: 0 every case passed; 1 a case failed; 2 wrong command line; 3 a sheet or a file of cases is wrong.
    """
    from mps_bill.ask.price_cases.read_cases import load_cases
    from mps_bill.ask.price_cases.run_cases import run_cases
    from mps_bill.report import price_cases

    files = [run_cases(file) for file in load_cases(paths)]
    with open_output(output) as stream:
        match format_:
            case CaseFormat.text:
                stream.writelines(f"{line}\n" for line in price_cases.case_lines(files))
            case CaseFormat.json:
                from mps_bill.report.bill_json import write_json

                write_json(stream, price_cases.cases_json(files))
            case CaseFormat.junit:
                from mps_bill.report.diagnostics.junit import junit_xml

                stream.write(junit_xml("mps-bill prices test", price_cases.case_suites(files)))
    say(price_cases.case_summary(files), quiet=quiet)
    return exit_codes.FOUND if any(file.failed for file in files) else exit_codes.DONE
