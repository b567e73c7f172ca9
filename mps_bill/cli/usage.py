"""`mps-bill usage`: `check` reports every rejected row without billing, `convert` turns other files into usage."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

from mps_bill.cli import exit_codes, options
from mps_bill.cli.command_help import group_of_commands
from mps_bill.cli.options import ReadingOptions, argument, takes
from mps_bill.cli.output import check_outputs, invalid, open_output, say, say_problems
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.core.diagnostics import ProblemLog

usage = group_of_commands("Check usage files, and convert other files to usage files.")


@usage.command()
@takes(reading=ReadingOptions)
@shows("printed", "document", "records")
def check(
    usage: options.Usage,
    prices: options.Prices,
    *,
    output: OutputOptions,
    reading: ReadingOptions,
) -> int:
    """Check usage files without billing them.

    Shows the control totals and every rejected row.
    """
    from mps_bill.cli.metering import UsageRun
    from mps_bill.pipeline import check_usage
    from mps_bill.view.usage_check_view import UsageCheckView

    run = UsageRun.of(usage, prices, reading, output)
    with run.metering(bill_good_rows=True) as (sources, meter_options):
        result = check_usage(sources, run.book, replace(meter_options, accounts=None))

    output.show(UsageCheckView(result))
    say_problems(result.problems)
    return output.end(found=bool(result.problems.total))


_FILES = "Files in the format of the profile: .csv, .json or .xml, globs, or - for standard input."


@usage.command()
def convert(
    files: Annotated[list[str], argument("FILE", _FILES)],
    profile: options.Profile = None,
    constants: options.Constants = None,
    output: options.Output = None,
    timezone: options.Timezone = None,
    max_errors: options.MaxErrors = 20,
    quiet: options.Quiet = False,
) -> int:
    """Convert other files to a usage file in CSV, by an import profile."""
    from mps_bill.cli.metering import read_files
    from mps_bill.cli.profiles import choose_profile, conversion, opened

    check_outputs({"--output": output}, read_files(files, {"--profile": profile}))
    offset = options.offset_option(timezone)
    choice = choose_profile(profile, constants)

    from mps_bill.profiles.convert import check_rows

    with ExitStack() as stack:
        sources = stack.enter_context(opened(files, choice.formats))
        chosen = choice.of(sources, quiet=quiet)
        if chosen is None:
            raise invalid("--profile", "give the profile that reads these files")
        if offset is not None:
            chosen = chosen.with_offset(offset)
        converted = stack.enter_context(conversion(sources, chosen, quiet=quiet))
        log = ProblemLog(max_errors)
        for one in converted:
            log.add(check_rows(one.source))
        report = log.report()
        if report.total:
            say_problems(report)
            say("Nothing was written, because some records cannot be converted.")
            return exit_codes.REJECTED
        with open_output(output) as stream:
            for number, one in enumerate(converted):
                with one.source.path.open(encoding="utf-8", newline="") as rows:
                    if number:
                        next(rows)
                    shutil.copyfileobj(rows, stream)
    return exit_codes.DONE
