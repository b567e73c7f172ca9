"""What every command that reads usage sets up around it: the files, the rejects file, the progress bar."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from mps_bill.cli import options
from mps_bill.cli.clock import check_cycles
from mps_bill.cli.options import Reading
from mps_bill.cli.output import check_outputs, invalid, open_output, say
from mps_bill.cli.profiles import choose_profile, conversion, opened
from mps_bill.cli.showing import Showing
from mps_bill.core.diagnostics import InputRejected, Problem, ProblemReport
from mps_bill.core.times import clock
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.groups import ControlTotals, Group, Metered
from mps_bill.metering.meter_options import MeterOptions, Progress, Reject
from mps_bill.metering.sources import STANDARD_INPUT, UsageSource, expanded
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import find_sheets
from mps_bill.rating.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from mps_bill.metering.csv_rows import Row

#: Below this much input a read is over before a bar could be seen.
_BAR_FROM_BYTES = 20_000_000
#: The rows of a file are not counted before they are read, so a bar's rows are estimated from the size.
_BYTES_PER_ROW = {"csv": 100, "csv.gz": 13, "csv.zst": 13, "parquet": 11}

#: The parts that have no place to say that a run is shown in part.
_SAYS_NOT = ("records", "focus", "charts")

#: The usage files of a run, open, and how to read them.
Metering = AbstractContextManager[tuple[tuple[UsageSource, ...], MeterOptions]]


@dataclass(frozen=True, slots=True)
class UsageRun:
    """What a command bills and shows: usage files at prices, how they are read, and what of the run is shown, and how."""

    usage: Sequence[str]
    prices: Sequence[str]
    book: PriceBook
    reading: Reading
    showing: Showing
    selection: Selection = EVERYTHING

    @contextmanager
    def metering(
        self,
        inputs: Mapping[str, str | Sequence[str] | None] | None = None,
        *,
        bill_good_rows: bool = False,
        as_of: int | None = None,
        charged: str | None = None,
        allow_future: bool = False,
    ) -> Iterator[tuple[tuple[UsageSource, ...], MeterOptions]]:
        """The usage files and how to read them; with a profile, the usage that other files mean.

        `inputs` are the values of the other options that name files of the run, by option. With `bill_good_rows` bad rows do
        not reject the run. Usage of cycles that have not ended, but for those held back by `as_of`, is warned of, or refused
        where the account `charged` would be saved with it, unless with `allow_future`.

        Raises:
            InputRejected: a name stands for no file that can be read; or every row was rejected to the rejects file, which is
                in its place then: nothing is billed.
            typer.BadParameter: the output or the rejects file is one of the files of the run, or both are one file.
        """
        reading, quiet, output = self.reading, self.reading.quiet, self.showing.output
        if reading.rejects and options.written_to(reading.rejects) is None and output is None:
            raise invalid("--rejects", "standard output has the result already; name a file")
        results = {"--output": output, "--rejects": reading.rejects}
        check_outputs(results, read_files(self.usage, {"--profile": reading.profile, **(inputs or {})}, self.prices))
        offset = options.offset_option(reading.timezone)
        #: Of every reading its problems, where no row was good.
        rejected: list[ProblemReport | None] = []

        def done(metered: Metered) -> None:
            all_bad = metered.rows_rejected == metered.rows_read > 0
            rejected.append(metered.problems if all_bad else None)
            self.check_used(metered.groups)
            if not allow_future:
                check_cycles(metered, self.book, as_of, charged=charged, quiet=quiet)

        resources = options.resources(reading.memory, reading.threads, reading.temp_dir, reading.master)
        choice = choose_profile(reading.profile, reading.constants)
        with ExitStack() as stack:
            sources = stack.enter_context(opened(self.usage, choice.formats, resources.temp_folder))
            if profile := choice.of(sources, quiet=quiet):
                converted = stack.enter_context(conversion(sources, profile, quiet=quiet))
                sources = tuple(one.source for one in converted)
            reject = stack.enter_context(_rejects_file(reading.rejects)) if reading.rejects else None
            is_long = sum(source.size for source in sources) > _BAR_FROM_BYTES
            with_bar = is_long and not quiet and sys.stderr.isatty()
            progress = stack.enter_context(_progress_bar(sources)) if with_bar else None
            how = MeterOptions(
                tags=self.selection.tags,
                assumed_offset=offset,
                ignore_extra_columns=reading.ignore_extra_columns,
                max_errors=reading.max_errors,
                engine=reading.engine,
                resources=resources,
                trust_unique=reading.trust_unique,
                bill_good_rows=bill_good_rows or reject is not None,
                reject=reject,
                progress=progress,
                done=done,
                notify=partial(say, quiet=quiet),
            )
            yield sources, how
        if reject and not bill_good_rows and rejected and None not in rejected and rejected[-1]:
            raise InputRejected(rejected[-1])

    def check_used(self, groups: Iterable[Group]) -> None:
        """Refuses a selection that usage cannot have; reports a period in which nothing was used, which may be a slip."""
        if self.selection.is_everything:
            return
        with options.named("what to show"):
            self.selection.check(groups, self.book)
        starts = {group.assignment.cycle_start for group in groups}
        if starts and not any(start in self.selection.period for start in starts):
            first, last = (clock(second, self.book.offset) for second in (min(starts), max(starts)))
            self.say(f"Nothing was used in the period; the cycles of the usage begin {first} to {last}.")

    def say(self, *messages: str) -> None:
        """Messages on standard error, but for --quiet."""
        for message in messages:
            say(message, quiet=self.reading.quiet)

    def end(
        self,
        problems: ProblemReport,
        control_totals: ControlTotals | None = None,
        *,
        notices: Iterable[str] = (),
        found: bool = False,
        crossed: Iterable[str] = (),
    ) -> int:
        """Ends the command as `Showing.end`; says what records do not hold, and which part of the run was shown."""
        part = self.showing.format.part
        if control_totals and part == "records":
            from mps_bill.view.reading_report import control_totals_text

            self.say(control_totals_text(control_totals))
        if not self.selection.is_everything and part in _SAYS_NOT:
            from mps_bill.view.reading_report import selection_text

            self.say(selection_text(self.selection, self.book.offset))
        return self.showing.end(problems, notices=notices, found=found, crossed=crossed, quiet=self.reading.quiet)


def read_files(
    usage: Sequence[str], inputs: Mapping[str, str | Sequence[str] | None], prices: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Every file that a run reads, by what names it on the command line: globs, folders and ids as the files they mean."""
    lists = {option: [value] if isinstance(value, str) else value or [] for option, value in inputs.items()}
    files = {option: [name for path in paths for name in expanded(path)] for option, paths in lists.items()}
    files["--prices"] = [str(sheet.path) for sheet in find_sheets(prices)[0]]
    names = (name for argument in usage for name in expanded(argument))
    # A file can also be given as `- < FILE`.
    files["usage"] = ["/dev/stdin" if name == STANDARD_INPUT else name for name in names]
    return files


@contextmanager
def _rejects_file(path: str) -> Iterator[Reject]:
    """A CSV of bad rows: where each stood, what is wrong with it, and the row to the byte, but for the apostrophe that keeps
    a spreadsheet from taking it for a formula."""
    from mps_bill.render.csv import spreadsheet_text

    with open_output(options.written_to(path), option="--rejects") as stream:
        # Bytes that are not UTF-8 stay as they are.
        stream.reconfigure(errors="surrogateescape")  # type: ignore[attr-defined]
        writer = csv.writer(stream)
        writer.writerow(("file", "line", "problems", "row"))

        def reject(source: UsageSource, row: Row, problems: Sequence[Problem]) -> None:
            messages = "; ".join(f"{problem.message} [{problem.kind}]" for problem in problems)
            name = spreadsheet_text(source.name)
            if not row.flaw or row.flaw.kind is not kinds.OVERLONG_ROW:
                raw = row.raw.decode("utf-8", "surrogateescape")
                writer.writerow((name, row.line, messages, spreadsheet_text(raw)))
                return
            # The row may be longer than the memory, so it goes through in pieces.
            cells = io.StringIO(newline="")
            csv.writer(cells, lineterminator="").writerow((name, row.line, messages))
            stream.write(cells.getvalue() + ',"')
            pieces = codecs.iterdecode(chain((row.raw,), row.rest), "utf-8", "surrogateescape")
            stream.write(spreadsheet_text(next(pieces)).replace('"', '""'))
            stream.writelines(piece.replace('"', '""') for piece in pieces)
            stream.write('"\r\n')

        yield reject


@contextmanager
def _progress_bar(sources: Sequence[UsageSource]) -> Iterator[Progress]:
    """A bar on standard error: what is being done, about how many rows, their rate, the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    reached = (TaskProgressColumn(), "about {task.completed:,.0f} rows", "{task.fields[rate]}", TimeRemainingColumn())
    columns = ("{task.description}", BarColumn(bar_width=20), *reached)
    rows = sum(source.size / _BYTES_PER_ROW.get(source.format, 100) for source in sources)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading usage", total=rows, rate="")
        doing = ""

        def show(what: str, share: float) -> None:
            nonlocal doing
            if what != doing:
                doing = what
                bar.reset(task, description=what, rate="")
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, completed=rows * share, rate=f"{speed:,.0f} rows/s" if speed else "")

        yield show
