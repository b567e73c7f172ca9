"""Reading the provider's bill exports from CSV and JSON files. Only this module of the package reads them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from mps_bill.core.diagnostics import Kind, Place, Problem, printable, quoted
from mps_bill.core.files import MAX_BYTES_OF_DATA, read_file
from mps_bill.metering.csv_rows import Row, read_rows
from mps_bill.metering.foreign_forms import foreign_form
from mps_bill.metering.sources import expanded
from mps_bill.metering.usage_columns import REQUIRED_COLUMNS
from mps_bill.profiles.find_profile import known_profile
from mps_bill.profiles.foreign_files import WEB_PAGE, action_of
from mps_bill.profiles.json_documents import JsonError, read_documents
from mps_bill.profiles.json_records import Answer, JsonRecord, records_of
from mps_bill.profiles.profile_model import FieldPath
from mps_bill.reconcile import export_parts as parts
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, ClosingRow, Export, ExportFile, ExportRow
from mps_bill.reconcile.export_columns import (
    CLOSING_WORD,
    SUMMED,
    are_garbled,
    find_columns,
    heading,
    is_focus,
    is_heading,
)
from mps_bill.reconcile.export_files import NotAnExport, decode_export, unpacked
from mps_bill.reconcile.read_row import Cells, read_row

_GIVE_USAGE = "give it before --bill, and with --bill what the provider charged"
#: The number of lines after the first in which a header is looked for.
_TITLE_LINES = 10
_XML = "this is XML; ask the bill API for JSON (Format=JSON)"


def read_exports(
    names: Sequence[str], currency: str, columns: Mapping[str, str] | None = None
) -> tuple[Export | None, tuple[Problem, ...]]:
    """The export in the files (or globs) together, or None and every problem with them. `currency` is that of the run; `columns`
    are the headings of a mapping."""
    reader = _Reader(currency, columns or {})
    for name in names:
        for one in expanded(name):
            reader.file(one)
    if not reader.problems:
        # Unreadable rows would seem to be missing.
        reader.problems += [*parts.incomplete_answers(reader.pages), *reader.given_twice()]
    if not reader.problems and not reader.rows:
        place = Place(printable(names[0])) if names else Place("--bill")
        reader.report(place, kinds.NO_ROWS, "the export has no bill rows")
    export = Export(tuple(reader.files), tuple(reader.rows), tuple(reader.closings))
    return (None if reader.problems else export), tuple(reader.problems)


class _Reader:
    """The rows and problems of several files, while they are read."""

    def __init__(self, currency: str, own: Mapping[str, str]) -> None:
        self.currency = currency
        self.own = own
        self.problems: list[Problem] = []
        self.paths: list[Path] = []
        self.files: list[ExportFile] = []
        self.rows: list[ExportRow] = []
        self.closings: list[ClosingRow] = []
        self.pages: list[parts.Page] = []
        #: The RecordID of a row and its content -> its place.
        self.records: dict[tuple[str, str], Place] = {}
        #: A product, and whether its rows can name billing items -> the first file with such rows.
        self.levels: dict[tuple[str, bool], str] = {}
        self.forms = parts.Forms()

    def report(self, place: Place, kind: Kind, message: str) -> None:
        self.problems.append(Problem(place, kind, message))

    def given_twice(self) -> Iterator[Problem]:
        """Problems of bills that are given both with and without billing items, or in two forms: they would be counted twice."""
        reported = []
        for (product, names_items), file in self.levels.items():
            other = self.levels.get((product, True))
            if not names_items and other:
                reported.append(product)
                what = f"it has the bills of {quoted(product)} without billing items"
                yield Problem(
                    Place(file), kinds.REPEATED_EXPORT, f"{what}, and {other} has the items; give one of them"
                )
        yield from self.forms.repeated(reported)

    def file(self, name: str) -> None:
        called, path = printable(name), Path(name)
        try:
            data = read_file(path, MAX_BYTES_OF_DATA)
            repeated = any(path.samefile(other) for other in self.paths)
        except OSError as error:
            self.report(Place(called), kinds.UNREADABLE_FILE, f"it cannot be read: {error.strerror or error}")
            return
        if repeated:
            self.report(Place(called), kinds.REPEATED_EXPORT, "this file is given twice and would be counted twice")
            return
        self.paths.append(path)
        try:
            for inner, content in unpacked(data, called):
                if content is None:
                    self.files.append(ExportFile(inner, "other", "", 0))
                else:
                    self._content(inner, content)
        except NotAnExport as error:
            self.report(Place(called), error.kind, str(error))

    def _content(self, name: str, data: bytes) -> None:
        text, encoding, problems = decode_export(data, name)
        if problems:
            self.problems += problems
            return
        before, wrong = len(self.rows), len(self.problems)
        start = text.lstrip()[:200].casefold()
        if start.startswith("<"):
            self.report(
                Place(name), kinds.UNREADABLE_FILE, f"{WEB_PAGE}; export the bill again" if "html" in start else _XML
            )
            return
        is_json = start.startswith(("{", "["))
        (self._json if is_json else self._csv)(text, name)
        self.files.append(ExportFile(name, "json" if is_json else "csv", encoding, len(self.rows) - before))
        # A spreadsheet program rewrites every date of a file, so the first one is enough.
        rewritten = [one for one in self.problems[wrong:] if one.kind is kinds.REWRITTEN_TIME]
        self.problems[wrong:] = [one for one in self.problems[wrong:] if one not in rewritten[1:]]

    def _csv(self, text: str, name: str) -> None:
        first = len(self.rows)
        columns: dict[str, int] = {}
        names: dict[str, str] = {}
        width = 0
        rows = read_rows(io.BytesIO(text.encode()))
        for row in rows:
            # Columns that are not needed may contain anything.
            if row.flaw and not row.forbidden:
                self.report(Place(name, row.flaw.line, row.flaw.column), kinds.BROKEN_CSV, row.flaw.message)
            elif not any(field.strip() for field in row.fields):
                continue
            elif not width:
                width, columns = len(row.fields), self._header(row, name, rows)
                if not columns:
                    return
                names = {column: row.fields[index].strip() for column, index in columns.items()}
            else:
                self._csv_row(row, name, columns, names, width, first)
        if not width:
            self.report(Place(name), kinds.NO_ROWS, "the file is empty")
        self.forms.add(frozenset(map(heading, names.values())), columns, self.rows[first:])

    def _header(self, row: Row, name: str, behind: Iterator[Row]) -> dict[str, int]:
        """The number of each column of the header; empty, with a problem reported, if the first row is not a header."""
        columns, duplicates, missing = find_columns(row.fields, (), self.own)
        if missing and (cause := self._no_header(row, behind)):
            self.report(Place(name, row.line), *cause)
            return {}
        for index, message in duplicates:
            self.report(Place(name, *row.position(index)), kinds.REPEATED_COLUMN, message)
        for message in missing:
            self.report(Place(name, row.line), kinds.MISSING_COLUMN, message)
        return {} if missing or duplicates else columns

    def _no_header(self, row: Row, behind: Iterator[Row]) -> tuple[Kind, str] | None:
        """The single reason why the first row of a file is not a header, if there is one."""
        if are_garbled(row.fields):
            message = (
                f"its headings, such as {quoted(row.fields[0])}, were saved in a wrong encoding; export the file again"
            )
            return kinds.UNKNOWN_ENCODING, message
        if any(field.strip() in REQUIRED_COLUMNS for field in row.fields):
            return kinds.UNREADABLE_FILE, f"this is usage; {_GIVE_USAGE}"
        if is_focus(row.fields):
            return (
                kinds.UNREADABLE_FILE,
                "this is an export in the FOCUS format; give the bill detail of the console or the API",
            )
        if foreign := foreign_form(row, is_heading):
            return kinds.UNREADABLE_FILE, foreign[1]
        for other in islice(behind, _TITLE_LINES):
            if not find_columns(other.fields, (), self.own)[2]:
                message = f"the header is on line {other.line}; delete the lines above it"
                return kinds.UNREADABLE_FILE, message
            if foreign := foreign_form(other, is_heading):
                return kinds.UNREADABLE_FILE, f"in line {other.line}, {foreign[1]}"
        return None

    def _csv_row(
        self, row: Row, name: str, columns: Mapping[str, int], names: Mapping[str, str], width: int, first: int
    ) -> None:
        def place(column: str) -> Place:
            position = row.position(columns[column]) if column in columns else (row.line,)
            return Place(name, *position)

        fields = row.fields
        is_closing = _is_closing(fields, columns)
        if not is_closing and (len(fields) < width or any(field.strip() for field in fields[width:])):
            message = f"the row has {len(fields)} fields, and the header has {width}"
            self.report(place(""), kinds.WRONG_ROW_LENGTH, message)
            return
        texts = {column: fields[index].strip() for column, index in columns.items() if index < len(fields)}
        cells = Cells(texts, place, False, self.problems, names)
        if is_closing:
            stated = [column for column in SUMMED if cells.text(column)]
            self.closings.append(ClosingRow(place(""), cells.money(stated), first, len(self.rows)))
        else:
            self._add(cells, fields)

    def _json(self, text: str, name: str) -> None:
        alone: set[str] = set()
        of_alone: list[ExportRow] = []
        try:
            for document in read_documents(io.StringIO(text)):
                for answer in parts.answers_in(document, self.own):
                    before = len(self.rows)
                    columns = self._answer(answer, name)
                    if answer.is_record:
                        # Of items outside an answer, each may lack columns that others have.
                        alone |= columns
                        of_alone += self.rows[before:]
                    else:
                        self.forms.add(action_of(answer.document), columns, self.rows[before:])
        except JsonError as error:
            self.report(Place(name, error.line, error.column), kinds.BROKEN_JSON, error.message)
        self.forms.add("", alone, of_alone)

    def _answer(self, answer: Answer, name: str) -> set[str]:
        """Add the rows of an answer. Return the columns that they have together."""
        place = Place(name, *answer.whole.position())
        if error := parts.error_of(answer):
            self.report(place, kinds.PROVIDER_ERROR, error)
            return set()
        stated, path = parts.stated_by(answer), parts.path_to_items(answer.span.value)
        if path is None and not answer.is_record and str(stated.get("totalcount")) != "0":
            if profile := known_profile(answer.span.value):
                raise NotAnExport(f"this is usage, as the profile {profile} reads it; {_GIVE_USAGE}", kinds.NO_ROWS)
            message = "there is no list of bill items here; expected an answer of the bill API, or its Items"
            self.report(place, kinds.NO_ROWS, message)
            return set()
        month = stated.get("billingcycle")
        before = len(self.rows)
        found: set[str] = set()
        for record in records_of([answer], path or ()) if path or answer.is_record else ():
            if isinstance(record, JsonRecord):
                found.update(self._item(record, name, month if isinstance(month, str) else ""))
        if page := parts.page_of(answer, place, self.rows[before:]):
            self.pages.append(page)
        return found

    def _item(self, record: JsonRecord, name: str, month: str) -> Iterable[str]:
        """Add the row of an item. Return the columns that it has."""
        item, keys = record.scopes[0].value, {"": ""}

        def place(column: str) -> Place:
            key = keys.get(column, "")
            return Place(name, *record.position(FieldPath(key, 0, (key,)) if key else None))

        if not isinstance(item, dict):
            self.report(place(""), kinds.NOT_A_VALUE, "a bill item must be an object")
            return ()
        names = list(item)
        columns, duplicates, missing = find_columns(names, ("month",) if month else (), self.own)
        for message in [*(message for _, message in duplicates), *missing]:
            self.report(place(""), kinds.MISSING_COLUMN, message)
        if missing or duplicates:
            return ()
        keys.update({column: names[index] for column, index in columns.items()})
        texts: dict[str, str] = {}
        for column in columns:
            value = item[keys[column]]
            if isinstance(value, dict | list | bool):
                self.report(place(column), kinds.NOT_A_VALUE, f"{quoted(keys[column])} must be a number or a text")
                return ()
            texts[column] = "" if value is None else str(value).strip()
        if month and texts.get("month", "") in ABSENT:
            texts["month"] = month
        self._add(Cells(texts, place, True, self.problems, keys), sorted(item.items()))
        return columns

    def _add(self, cells: Cells, content: object) -> None:
        """Add the row made of the cells, unless it repeats the content and RecordID of an earlier one."""
        row = read_row(cells, self.currency)
        if row is None:
            return
        record = cells.text("record")
        first = self.records.setdefault((record, repr(content)), row.place) if record else row.place
        if first is row.place:
            self.rows.append(row)
            names_items = any(column in cells.texts for column in ("item", "item_code"))
            self.levels.setdefault((row.product or row.product_code, names_items), row.place.file)
        else:
            message = f"duplicate of the row at {first}, with RecordID {quoted(record)}; it would be counted twice"
            self.report(row.place, kinds.REPEATED_ROW, message)


def _is_closing(fields: Sequence[str], columns: Mapping[str, int]) -> bool:
    at = columns.get("month")
    month = fields[at].strip() if at is not None and at < len(fields) else ""
    return month in (*ABSENT, CLOSING_WORD) and any(field.strip() == CLOSING_WORD for field in fields)
