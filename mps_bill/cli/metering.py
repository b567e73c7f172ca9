"""What every command that reads usage needs around it: the usage files, the rejects file, the progress bar."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from mps_bill.cli import options
from mps_bill.cli.clock import check_cycles
from mps_bill.cli.options import ReadingOptions
from mps_bill.cli.output import check_outputs, invalid, open_output, say
from mps_bill.cli.output_options import OutputOptions
from mps_bill.cli.profiles import choose_profile, conversion, opened
from mps_bill.cli.selection_options import SelectionOptions
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

#: Smaller input is read before a progress bar could be seen.
_BAR_FROM_BYTES = 20_000_000
#: Rows are counted only while they are read, so the progress bar estimates them from the size of the files.
_BYTES_PER_ROW = {"csv": 100, "csv.gz": 13, "csv.zst": 13, "parquet": 11}

#: The parts of a view that cannot say that only a selection is shown.
_WITHOUT_SELECTION_TEXT = ("records", "focus", "charts")

#: The open usage files of a run, and how to read them.
Metering = AbstractContextManager[tuple[tuple[UsageSource, ...], MeterOptions]]


@dataclass(frozen=True, slots=True)
class UsageRun:
    """The usage that a command bills, the prices, the selection that it shows, and the options for reading and output."""

    usage: Sequence[str]
    prices: Sequence[str]
    book: PriceBook
    reading: ReadingOptions
    output: OutputOptions
    selection: Selection = EVERYTHING
    selected_by: SelectionOptions | None = None

    @classmethod
    def of(
        cls,
        usage: Sequence[str],
        prices: Sequence[str],
        reading: ReadingOptions,
        output: OutputOptions,
        selection: SelectionOptions | None = None,
        groupings: Iterable[Sequence[str]] = (),
    ) -> UsageRun:
        """Load the price book, and resolve the selection of a run that is summarised by `groupings`.

        Raises:
            InputRejected: with every problem of every price sheet.
            typer.BadParameter: an option of the selection is not understood.
        """
        book = options.load_book(prices)
        shown = selection.resolve(book, groupings) if selection else EVERYTHING
        return cls(usage, prices, book, reading, output, shown, selection)

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
        """Open the usage files, converted by their import profile if they need one, and say how to read them.

        `inputs` maps other options that name files of the run to their values. With `bill_good_rows`, bad rows do not reject
        the run. Usage of cycles that have not ended causes a warning, or a refusal if the account `charged` would be saved
        with it. Cycles held back by `as_of` cause neither; with `allow_future`, none do.

        Raises:
            InputRejected: a name is not a file that can be read; or every row was rejected. The rejects file is complete
                then, and nothing is billed.
            typer.BadParameter: the output or the rejects file is one of the files of the run, or both are the same file.
        """
        reading, quiet = self.reading, self.reading.quiet
        self._check_outputs(inputs or {})
        #: For each reading of the usage, its problems if it had no good row.
        rejected: list[ProblemReport | None] = []

        def done(metered: Metered) -> None:
            all_bad = metered.rows_rejected == metered.rows_read > 0
            rejected.append(metered.problems if all_bad else None)
            self.check_used(metered.groups)
            if not allow_future:
                check_cycles(metered, self.book, as_of, charged=charged, quiet=quiet)

        notify = partial(say, quiet=quiet)
        meter_options = replace(reading.meter_options(), tags=self.selection.tags, done=done, notify=notify)
        with ExitStack() as stack:
            sources = self._sources(stack, meter_options.resources.temp_folder)
            reject = stack.enter_context(_rejects_file(reading.rejects)) if reading.rejects else None
            progress = stack.enter_context(_progress_bar(sources, quiet=quiet))
            good_rows = bill_good_rows or reject is not None
            yield sources, replace(meter_options, bill_good_rows=good_rows, reject=reject, progress=progress)
        if reject and not bill_good_rows and rejected and None not in rejected and rejected[-1]:
            raise InputRejected(rejected[-1])

    def _check_outputs(self, inputs: Mapping[str, str | Sequence[str] | None]) -> None:
        rejects, output = self.reading.rejects, self.output.path
        if rejects and options.written_to(rejects) is None and output is None:
            raise invalid("--rejects", "the result is written to standard output; name a file")
        inputs = {"--profile": self.reading.profile, **inputs}
        check_outputs({"--output": output, "--rejects": rejects}, read_files(self.usage, inputs, self.prices))

    def _sources(self, stack: ExitStack, temp_folder: str | None) -> tuple[UsageSource, ...]:
        """Open the usage files until the stack ends, and convert files that are not usage files."""
        quiet = self.reading.quiet
        choice = choose_profile(self.reading.profile, self.reading.constants)
        sources = stack.enter_context(opened(self.usage, choice.formats, temp_folder))
        profile = choice.of(sources, quiet=quiet)
        if profile is None:
            return sources
        return tuple(one.source for one in stack.enter_context(conversion(sources, profile, quiet=quiet)))

    def check_used(self, groups: Iterable[Group]) -> None:
        """Refuse a selection of values that the usage does not have. Report a period without usage, which may be a mistake."""
        if self.selection.is_everything or self.selected_by is None:
            return
        with self.selected_by.named(self.selection):
            self.selection.check(groups, self.book)
        starts = {group.assignment.cycle_start for group in groups}
        if starts and not any(start in self.selection.period for start in starts):
            first, last = (clock(second, self.book.offset) for second in (min(starts), max(starts)))
            self.say(f"Nothing was used in the period; the cycles of the usage begin {first} to {last}.")

    def say(self, *messages: str) -> None:
        """Print messages on standard error, unless --quiet is given."""
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
        """End the command as `OutputOptions.end` does. Also report what the result itself does not say: of records the control
        totals, and which part of the run is shown."""
        part = self.output.format.part
        if control_totals and part == "records":
            from mps_bill.view.reading_report import control_totals_text

            self.say(control_totals_text(control_totals))
        if not self.selection.is_everything and part in _WITHOUT_SELECTION_TEXT:
            from mps_bill.view.reading_report import selection_text

            self.say(selection_text(self.selection, self.book.offset))
        return self.output.end(problems, notices=notices, found=found, crossed=crossed, quiet=self.reading.quiet)


def read_files(
    usage: Sequence[str], inputs: Mapping[str, str | Sequence[str] | None], prices: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Return every file that a run reads, by the option or argument that names it. Globs, folders and ids are expanded."""
    lists = {option: [value] if isinstance(value, str) else value or [] for option, value in inputs.items()}
    files = {option: [name for path in paths for name in expanded(path)] for option, paths in lists.items()}
    files["--prices"] = [str(sheet.path) for sheet in find_sheets(prices)[0]]
    names = (name for argument in usage for name in expanded(argument))
    # `- < FILE` reads a file, too.
    files["usage"] = ["/dev/stdin" if name == STANDARD_INPUT else name for name in names]
    return files


@contextmanager
def _rejects_file(path: str) -> Iterator[Reject]:
    """Write a CSV of the rejected rows: file, line, problems, and the row byte for byte. An apostrophe is added where a
    spreadsheet would run the text as a formula."""
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
            # The row may not fit into memory, so it is copied in pieces.
            cells = io.StringIO(newline="")
            csv.writer(cells, lineterminator="").writerow((name, row.line, messages))
            stream.write(cells.getvalue() + ',"')
            pieces = codecs.iterdecode(chain((row.raw,), row.rest), "utf-8", "surrogateescape")
            stream.write(spreadsheet_text(next(pieces)).replace('"', '""'))
            stream.writelines(piece.replace('"', '""') for piece in pieces)
            stream.write('"\r\n')

        yield reject


@contextmanager
def _progress_bar(sources: Sequence[UsageSource], *, quiet: bool) -> Iterator[Progress | None]:
    """Show on a terminal what is being done, about how many rows were read, their rate and the time left."""
    is_long = sum(source.size for source in sources) > _BAR_FROM_BYTES
    if quiet or not is_long or not sys.stderr.isatty():
        yield None
        return
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
