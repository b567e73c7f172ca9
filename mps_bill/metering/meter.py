"""Reading usage with the engine that suits it, and rejecting what cannot be billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mps_bill.core.diagnostics import InputRejected, Place, Problem, one_of, quoted, report_of
from mps_bill.metering import EngineName
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.encodings import NotUtf8Error, in_utf8
from mps_bill.metering.exact_reader import UsageFiles, open_files, read_exactly
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.records import Layout
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN
from mps_bill.price_sheet.book import PriceBook

#: Python reads less than this before an engine's library is even loaded (measured: both take the same time at about 1 MB).
SMALL_INPUT_BYTES = 1_000_000
#: The approximate number of CSV bytes for a byte of each format. Parquet is always left to the engine.
_EXPANSION = {"csv": 1, "csv.gz": 8, "csv.zst": 8, "parquet": SMALL_INPUT_BYTES}


def meter(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> Metered:
    """Every row of the sources, grouped and summed.

    Small files are read by Python alone, all others by an SQL engine. The exact reader judges every row that the engine is not
    certain of, so that all bad rows are reported with their place and counted by one rule.

    Raises:
        InputRejected: a file or a header cannot be used, or a row is bad and the options do not bill the good rows.
    """
    # The encoding of small files is determined first; a large file is read once more if it turns out not to be UTF-8.
    if options.engine == "spark" or _wants_duckdb(sources, options.engine):
        try:
            return _meter(sources, book, options, encoding_known=False)
        except NotUtf8Error:
            pass
    with in_utf8(sources, options.resources.temp_folder, options.notify) as readable:
        return _meter(readable, book, options, encoding_known=True)


def _meter(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions, *, encoding_known: bool) -> Metered:
    """See `meter`.

    Raises:
        NotUtf8Error: a file is not UTF-8, and its encoding is not known; nothing has been rejected yet.
    """
    files = _open(sources, book, options, encoding_known=encoding_known)
    metered = _read(files, options)
    if options.notify:
        for warning in metered.warnings:
            options.notify(f"Warning: {warning}")
    if metered.unknown_items and metered.rows_rejected == metered.rows_read:
        hint = _sheets_with(metered.unknown_items)
        metered = replace(metered, problems=report_of([hint]) + metered.problems) if hint else metered
    _check_count(files.sources, metered)
    if metered.problems.total and not options.bill_good_rows:
        raise InputRejected(metered.problems)
    if options.done:
        options.done(metered)
    return metered


def _open(
    sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions, *, encoding_known: bool
) -> UsageFiles:
    """The files with their headers.

    Raises:
        NotUtf8Error: see `_meter`.
        InputRejected: a file or a header cannot be used.
    """
    if options.engine == "spark" and any(source.url for source in sources):
        from mps_bill.metering.spark_engine import with_urls_found

        sources = with_urls_found(sources, options.resources)
    files, problems = open_files(sources, book, options)
    if not encoding_known and any(problem.kind == kinds.NOT_UTF8 for problem in problems):
        raise NotUtf8Error
    if not sources:
        problems = (*problems, Problem(Place("usage"), kinds.NO_FILE, "no usage file is given"))
    problems = problems or _check_accounts(files.layouts, options.accounts)
    if problems:
        raise InputRejected(problems)
    return replace(files, encoding_known=encoding_known)


def _read(files: UsageFiles, options: MeterOptions) -> Metered:
    """Read the files with the engine that suits them.

    Raises:
        NotUtf8Error: see `_meter`.
        InputRejected: the engine cannot read a file.
    """
    if options.engine == "spark":
        from mps_bill.metering.spark_engine import read_with_spark

        metered = read_with_spark(files, options)
        if not files.encoding_known and kinds.NOT_UTF8 in metered.problems.counts and not options.reject:
            raise NotUtf8Error
        return metered
    if _wants_duckdb(files.sources, options.engine):
        from mps_bill.metering.duckdb_engine import read_with_duckdb

        return read_with_duckdb(files, options)
    return read_exactly(files, options)


def _check_count(sources: Sequence[UsageSource], metered: Metered) -> None:
    """Compare the number of rows read with the number in the footers, if all files of the run are Parquet files.

    Raises:
        InputRejected: the numbers differ.
    """
    if not all(source.format == "parquet" and not source.url for source in sources):
        return
    from mps_bill.metering.parquet_rows import stored_rows

    stored = stored_rows(sources)
    if stored != metered.rows_read:
        message = f"{metered.rows_read:,} rows were read, and the files have {stored:,}; nothing is billed"
        raise InputRejected([Problem(Place("usage"), kinds.UNREADABLE_FILE, message)])


def _check_accounts(layouts: Mapping[str, Layout], wanted: bool | None) -> tuple[Problem, ...]:
    """Report usage of many accounts if usage of one account is expected, or vice versa, for the first such file."""
    for name, layout in layouts.items():
        there = layout.index.get(ACCOUNT_COLUMN)
        if wanted is True and there is None:
            message = f"missing column {quoted(ACCOUNT_COLUMN)}, which a folder of accounts needs; give the file of one account"
            return (Problem(Place(name, 1, 1), kinds.MISSING_COLUMN, message),)
        if wanted is False and there is not None:
            message = (
                f"column {quoted(ACCOUNT_COLUMN)} means usage of several accounts, but one account is expected;"
                " use bill, explain or settle with a folder of accounts"
            )
            return (Problem(Place(name, 1, 1), kinds.MANY_ACCOUNTS, message),)
    return ()


def _sheets_with(items: Sequence[str]) -> Problem | None:
    """For usage whose items are all missing from the sheets of the run: the shipped sheets that have them, if any."""
    from mps_bill.price_sheet.find import shipped_sheets
    from mps_bill.price_sheet.load_sheets import load_file

    known: dict[str, list[str]] = {}
    for id_, file in shipped_sheets().items():
        draft = load_file(file).draft
        found = [item for item in items if draft and item in draft.sheet.items]
        if found:
            known.setdefault("all of them" if len(found) == len(items) else one_of(found), []).append(id_)
    if not known:
        return None
    having = "; ".join(
        f"{' and '.join(sheets)} {'have' if len(sheets) > 1 else 'has'} {which}" for which, sheets in known.items()
    )
    message = f"no item of the usage is in the price sheets of the run; of the shipped sheets, {having}: give it with --prices"
    return Problem(Place("usage"), kinds.NO_PRICE_SHEET, message)


def _wants_duckdb(sources: Sequence[UsageSource], engine: EngineName) -> bool:
    if engine == "auto":
        return sum(source.size * _EXPANSION[source.format] for source in sources) > SMALL_INPUT_BYTES
    return engine == "duckdb"
