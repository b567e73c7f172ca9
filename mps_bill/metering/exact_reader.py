"""The pure-Python engine: reads every row exactly, reports the place of every bad row, and is the reference for other engines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mps_bill.core.diagnostics import InputRejected, Place, Problem, ProblemLog, near_miss, printable, quoted
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.accounts import AccountCounts, ByAccount, in_memory
from mps_bill.metering.assign import Assignment, assign, check_words
from mps_bill.metering.csv_rows import Flaw, Row, read_rows
from mps_bill.metering.foreign_forms import foreign_form
from mps_bill.metering.groups import Metered, Sums, grouped
from mps_bill.metering.meter_options import MeterOptions, Progress
from mps_bill.metering.records import (
    Features,
    FileForm,
    Identity,
    Layout,
    RecordReader,
    UsageRecord,
    ValueProblem,
    is_usage_column,
    read_header,
)
from mps_bill.metering.scheme import MeteringScheme, scheme_for
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.tidy import alike_warning, first_shown, look_alike, tidied
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, COLUMNS, REQUIRED_COLUMNS, TAG_PREFIX, UsageKey
from mps_bill.price_sheet.book import PriceBook

_ROWS_PER_REPORT = 20_000
_UNKNOWN_ITEMS_KEPT = 100


@dataclass(frozen=True, slots=True)
class UsageFiles:
    """Usage files with their headers (`layouts` by file name), and the price book and scheme by which their rows are judged.

    Unless `encoding_known`, a file may still turn out not to be UTF-8 while it is read.
    """

    sources: tuple[UsageSource, ...]
    layouts: Mapping[str, Layout]
    book: PriceBook
    scheme: MeteringScheme
    encoding_known: bool = True

    @property
    def tags(self) -> tuple[str, ...]:
        """All columns of the files whose texts split groups and are never priced."""
        return tuple(sorted({tag for layout in self.layouts.values() for tag in layout.tags}))

    def form(self, source: UsageSource) -> FileForm:
        return FileForm(self.layouts[source.name], self.tags, self.scheme.assumed_offset)


@dataclass(frozen=True, slots=True)
class PlacedRecord:
    """A well-formed record with its row, and its assignment (None: a failed job)."""

    source: UsageSource
    row: Row
    record: UsageRecord
    key: UsageKey
    assignment: Assignment | None


@dataclass(slots=True)
class SeenRecord:
    """A record that was read before: its first place, its number of rows, and whether a later row contradicts it."""

    record: UsageRecord
    key: UsageKey
    first: Place
    rows: int = 1
    conflict: bool = False


def count_row(item: PlacedRecord, seen: dict[Identity, SeenRecord]) -> Problem | None:
    """Count a row among the records `seen`. Return a problem if it contradicts the first row of its record.

    Rows of a record (`job_id`, `item`, `output`) with equal values are the record and its duplicates. If their values differ,
    none of them can be billed, because it is not known which is right.
    """
    record = item.record
    identity = record.identity
    known = seen.get(identity)
    if known is None:
        seen[identity] = SeenRecord(record, item.key, Place(item.source.name, item.row.line))
        return None
    known.rows += 1
    if record == known.record:
        return None
    known.conflict = True
    return _conflict(item, known)


def open_files(
    sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions
) -> tuple[UsageFiles, tuple[Problem, ...]]:
    """The files with their headers read, and the problems of the headers."""
    scheme = scheme_for(book, options.tags, options.assumed_offset, options.cuts)
    layouts: dict[str, Layout] = {}
    problems: list[Problem] = []
    for source in sources:
        try:
            layout, troubles = _read_layout(source, options)
        except InputRejected as rejected:
            problems += rejected.report.shown
            continue
        problems += troubles
        if layout:
            layouts[source.name] = layout
    if layouts and not problems:
        problems += _missing_columns(layouts, scheme.tags)
    scheme = replace(scheme, by_account=any(ACCOUNT_COLUMN in layout.index for layout in layouts.values()))
    return UsageFiles(tuple(sources), layouts, book, scheme), tuple(problems)


def _read_layout(source: UsageSource, options: MeterOptions) -> tuple[Layout | None, list[Problem]]:
    """The columns of a file, if its header can be read, and the problems of its header.

    Raises:
        InputRejected: the file cannot be read.
    """
    header = next(_rows_of(source), None)
    if header is None:
        return None, [Problem(Place(source.name), kinds.EMPTY_FILE, "the file is empty; it needs a header row")]
    if form := foreign_form(header, COLUMNS.__contains__):
        return None, [Problem(Place(source.name, header.line, 1), *form)]
    if header.flaw:
        return None, list(_flaw_problems(source, header.flaws))
    layout, troubles = read_header(header.fields, options.ignore_extra_columns)
    if partitions := _columns_of_folders(source, layout):
        return layout, partitions
    problems = []
    for number, kind, message in troubles:
        # The header of a Parquet file is not on a line.
        line, column = header.position(number) if number >= 0 and header.line else (header.line, min(header.line, 1))
        problems.append(Problem(Place(source.name, line, column), kind, message))
    return layout, problems


def _missing_columns(layouts: Mapping[str, Layout], tags: Sequence[str]) -> Iterator[Problem]:
    """Report tags that no file has, and files without an account column if others have one."""
    present = {name for layout in layouts.values() for name in layout.index}
    for tag in tags:
        if tag not in present:
            hint = near_miss(tag, (name for name in present if name.startswith(TAG_PREFIX)), priced=False)
            message = f"there is no column {quoted(tag)}{hint}"
            yield Problem(Place(", ".join(layouts)), kinds.MISSING_COLUMN, message)
    message = f"missing column {quoted(ACCOUNT_COLUMN)}, which other files of this run have"
    for name, layout in layouts.items():
        if ACCOUNT_COLUMN in present and ACCOUNT_COLUMN not in layout.index:
            yield Problem(Place(name, 1, 1), kinds.MISSING_COLUMN, message)


def _columns_of_folders(source: UsageSource, layout: Layout) -> list[Problem]:
    """Report columns that are only in the names of a file's folders (`region=cn-shanghai`): required columns, or those of a
    Parquet file, since its writer (`partitionBy`) removes from the files the columns that it uses for folders."""
    return [
        Problem(
            Place(source.name),
            kinds.MISSING_COLUMN,
            f"missing column {quoted(name)} (it is only in the folder name, {printable(folder)}); write it into the file",
        )
        for folder in source.column_folders()
        if (name := folder.partition("=")[0]) not in layout.index
        and (name in REQUIRED_COLUMNS or (source.format == "parquet" and is_usage_column(name)))
    ]


def read_exactly(files: UsageFiles, options: MeterOptions) -> Metered:
    """Read every row once. All rows are counted in a group or rejected, and every rejected row has a problem with its place."""
    sums = Sums(files.scheme)
    metered = account_for(lambda: _judged_rows(files, options.progress), sums, files, options)
    if not files.scheme.by_account:
        return metered
    counts = in_memory(sums.counted())
    return with_accounts(metered, counts, [account for account, _ in counts if tidied(account) != account], files)


def account_for(rows: Callable[[], Iterator[Judged]], sums: Sums, files: UsageFiles, options: MeterOptions) -> Metered:
    """Add judged rows, in order, to the counts in `sums`. `rows` is called again to reject rows that contradict each other."""
    reject = options.reject
    log = ProblemLog(options.max_errors)
    rows_read = sum(counted.rows for counted in sums.counted())
    rows_rejected = 0
    seen: dict[Identity, SeenRecord] = {}
    unknown_items: set[str] = set()
    for item in rows():
        rows_read += 1
        if isinstance(item, BadRow):
            rows_rejected += 1
            if item.unknown_item and len(unknown_items) < _UNKNOWN_ITEMS_KEPT:
                unknown_items.add(item.unknown_item)
            log.add(item.problems)
            if reject:
                reject(item.source, item.row, item.problems)
            continue
        record = item.record
        if options.trust_unique:
            sums.add(item.key, record.micros, 1)
            continue
        if problem := count_row(item, seen):
            log.add([problem])

    conflicts = {identity for identity, known in seen.items() if known.conflict}
    for known in seen.values():
        if known.conflict:
            rows_rejected += known.rows
        else:
            sums.add(known.key, known.record.micros, known.rows)
    if conflicts and reject:
        # This takes a second look at the files.
        for item in rows():
            if isinstance(item, PlacedRecord) and item.record.identity in conflicts:
                reject(item.source, item.row, (_conflict(item, seen[item.record.identity]),))
    return replace(
        grouped(sums.counted(), files.book, files.scheme),
        rows_read=rows_read,
        rows_rejected=rows_rejected,
        problems=log.report(),
        unknown_items=tuple(sorted(unknown_items)),
        warnings=_records_alike(seen),
    )


def _records_alike(seen: Mapping[Identity, SeenRecord]) -> tuple[str, ...]:
    """A warning about records whose ids look the same to a person, with their first places; empty if there are none."""

    def tidy(identity: Identity) -> Identity:
        job_id, item, output = identity
        return tidied(job_id), item, tidied(output)

    def called(identity: Identity) -> str:
        job_id, _, output = identity
        shown_output = f", output {quoted(output)}" if output else ""
        return f"job {quoted(job_id)}{shown_output} at {seen[identity].first}"

    untidy = (identity for identity in seen if tidy(identity) != identity)
    groups = look_alike(untidy, seen, tidy)
    return (alike_warning(groups, called, "ids", "records"),) if groups else ()


def with_accounts(metered: Metered, counts: AccountCounts, untidy: Iterable[str], files: UsageFiles) -> Metered:
    """The result, completed by the result of each account; `untidy` are the accounts whose ids have invisible characters."""
    groups = look_alike(untidy, (account for account, _ in counts), tidied)
    warnings = (*metered.warnings, *([_accounts_alike(groups, files)] if groups else ()))
    return replace(metered, by_account=ByAccount(counts, files.book, files.scheme), warnings=warnings)


def _accounts_alike(groups: Sequence[list[str]], files: UsageFiles) -> str:
    """A warning about accounts whose ids look the same to a person, with their first places. To find these, the files are read
    once more up to there. Only Spark reads URLs, so their rows have no places."""
    wanted = {account for group in first_shown(groups) for account in group}
    first: dict[str, Place] = {}
    if not any(source.url for source in files.sources):
        for item in _judged_rows(files, texts=sorted(wanted)):
            if isinstance(item, PlacedRecord) and item.record.features.account in wanted:
                first.setdefault(item.record.features.account, Place(item.source.name, item.row.line))
                if len(first) == len(wanted):
                    break

    def called(account: str) -> str:
        return f"account {quoted(account)}" + (f" at {first[account]}" if account in first else "")

    return alike_warning(groups, called, "accounts", "accounts")


def placed_records(files: UsageFiles, job_id: str) -> Iterator[PlacedRecord]:
    """Every good record of one job with its row, in the order of the files; bad rows are skipped."""
    for item in _judged_rows(files, texts=[job_id]):
        if isinstance(item, PlacedRecord) and item.record.job_id == job_id:
            yield item


def columns_of(source: UsageSource) -> tuple[str, ...]:
    """The names in the header of a file."""
    header = next(_rows_of(source), None)
    return tuple(header.fields) if header else ()


def values_of(sources: Iterable[UsageSource], column: str) -> Iterator[str]:
    """The values in a column of some files, right or wrong, in order; nothing for a file without the column."""
    for source in sources:
        rows = _rows_of(source)
        header = next(rows, None)
        if header and column in header.fields:
            number = header.fields.index(column)
            yield from (row.fields[number] for row in rows if len(row.fields) > number)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be billed, with all its problems; `unknown_item` is its item if no sheet has that item."""

    source: UsageSource
    row: Row
    problems: tuple[Problem, ...]
    unknown_item: str = ""


Judged = PlacedRecord | BadRow


class Judge:
    """Decides about the rows of one file. Decisions are kept by key, since most rows share one."""

    def __init__(self, source: UsageSource, files: UsageFiles) -> None:
        self._source = source
        self._layout = files.layouts[source.name]
        self._ignored = self._layout.ignored_numbers
        self._book, self._scheme = files.book, files.scheme
        self._reader = RecordReader(self._layout, self._scheme)
        self._decisions: dict[tuple[Features, int], tuple[UsageKey, Assignment | tuple[ValueProblem, ...] | None]] = {}

    def record(self, row: Row) -> UsageRecord | None:
        """The record of a row whose form is right, whether it has a price or not."""
        record = () if row.flaw and row.flaws_outside(self._ignored) else self._reader.read(row.fields)
        return None if isinstance(record, tuple) else record

    def judge(self, row: Row) -> Judged:
        source = self._source
        if row.flaw and (flaws := row.flaws_outside(self._ignored)):
            return BadRow(source, row, _flaw_problems(source, flaws))
        record = self._reader.read(row.fields)
        if isinstance(record, tuple):
            return BadRow(source, row, _value_problems(source, row, self._layout, record))
        slot = record.slot(self._scheme)
        known = self._decisions.get((record.features, slot))
        if known is None:
            if len(self._decisions) > 100_000:
                self._decisions.clear()
            key = record.features.key(slot)
            known = self._decisions[record.features, slot] = (key, decision_on(key, self._book, self._scheme))
        key, decision = known
        if isinstance(decision, tuple):
            unknown = "" if key.item in self._scheme.words["item"] else key.item
            return BadRow(source, row, _value_problems(source, row, self._layout, decision), unknown)
        return PlacedRecord(source, row, record, key, decision)


def decision_on(key: UsageKey, book: PriceBook, scheme: MeteringScheme) -> Assignment | tuple[ValueProblem, ...] | None:
    """The assignment of records with this key, None for failed jobs, or the problems for which they are rejected."""
    return (check_words(key, scheme) or None) if key.failed else assign(key, book, scheme)


def _judged_rows(files: UsageFiles, progress: Progress | None = None, texts: Sequence[str] = ()) -> Iterator[Judged]:
    """Every row, in order; with `texts` only rows that may contain one of these values, without parsing the others."""
    taken = 0
    total = sum(source.size for source in files.sources)
    # A quote inside a quoted field is doubled, so the raw row certainly contains only the part before it.
    needles = [text.partition('"')[0].encode("utf-8", "surrogateescape") for text in texts]
    may_hold = re.compile(b"|".join(map(re.escape, needles))).search
    for source in files.sources:
        judge = Judge(source, files).judge
        rows = _rows_of(source)
        next(rows, None)
        for number, row in enumerate(rows):
            if progress:
                taken += len(row.raw) + 1
                if number % _ROWS_PER_REPORT == 0:
                    progress("Reading usage", min(1.0, taken / total))
            # The raw text of a converted row has another format, in which a value may be written differently.
            if not texts or source.rows or may_hold(row.raw):
                yield judge(row)


def _rows_of(source: UsageSource) -> Iterator[Row]:
    """The rows of a source, the header first.

    Raises:
        InputRejected: the file cannot be read to its end, so its contents are not known.
    """
    if source.rows:
        yield from source.rows()
        return
    if source.format == "parquet":
        from mps_bill.metering.parquet_rows import read_parquet_rows

        yield from read_parquet_rows(source)
        return
    try:
        with source.open() as stream:
            yield from read_rows(stream)
    except read_errors() as error:
        raise InputRejected([_unreadable(source, error)]) from error


def _value_problems(
    source: UsageSource, row: Row, layout: Layout, found: Sequence[ValueProblem]
) -> tuple[Problem, ...]:
    problems = []
    for trouble in found:
        if trouble.kind in (kinds.SHORT_ROW, kinds.LONG_ROW):
            line, column = row.position(len(layout.names))
        else:
            # A problem with a column that the file does not have is reported for the row as a whole.
            index = layout.index.get(trouble.column)
            line, column = row.position(index) if index is not None else (row.line, 1)
        problems.append(Problem(Place(source.name, line, column), trouble.kind, trouble.message))
    return tuple(problems)


def _flaw_problems(source: UsageSource, flaws: Sequence[Flaw]) -> tuple[Problem, ...]:
    return tuple(Problem(Place(source.name, flaw.line, flaw.column), flaw.kind, flaw.message) for flaw in flaws)


def _unreadable(source: UsageSource, error: Exception) -> Problem:
    return Problem(Place(source.name), kinds.UNREADABLE_FILE, f"it cannot be read: {printable(str(error))}")


def _conflict(item: PlacedRecord, known: SeenRecord) -> Problem:
    record, features = item.record, item.record.features
    output = f", output {quoted(record.output)}" if record.output else ""
    differences = "; ".join(record.differences(known.record))
    other = f"{known.first} ({differences})" if differences else "another of its rows"
    message = f"job {quoted(record.job_id)} ({features.item}{output}) conflicts with {other}; correct the rows so that they agree"
    return Problem(Place(item.source.name, item.row.line, 1), kinds.CONFLICTING_REPEAT, message)
