"""Reading the provider's bill exports from files: encodings, CSV and JSON. This is the one place of the room that reads them."""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mps_bill.core.diagnostics import Kind, Place, Problem, printable, quoted
from mps_bill.profiles.json_records import JsonError, JsonRecord, read_documents, read_records
from mps_bill.profiles.profile import FieldPath
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.answer_pages import Page, incomplete_answers, page_of
from mps_bill.reconcile.export import ABSENT, ClosingRow, ExportFile, Statement, StatementRow
from mps_bill.reconcile.export_columns import CLOSING_WORD, SUMMED, find_columns, shown
from mps_bill.reconcile.read_row import RowReader

#: Where the items stand in the answers of the bill API, and in what users cut out of them.
_ITEM_PATHS: tuple[tuple[str, ...], ...] = (
    ("Data", "Items", "Item", "[]"),
    ("Data", "Items", "[]"),
    ("Items", "Item", "[]"),
    ("Items", "[]"),
    ("[]",),
)


def read_exports(names: Sequence[str], currency: str) -> tuple[Statement | None, tuple[Problem, ...]]:
    """The statement that the files (or globs) make together, or None and every problem with them. `currency` is that of
    the run."""
    reader = _Reader(currency)
    for name in names:
        for one in _expand(name):
            reader.file(one)
    if not reader.problems:
        # Rows that cannot be read would seem to be missing.
        reader.problems += incomplete_answers(reader.pages)
    if not reader.problems and not reader.rows:
        place = Place(printable(names[0])) if names else Place("--bill")
        reader.tell(place, kinds.NO_ROWS, "the export holds no bill rows")
    statement = Statement(tuple(reader.files), tuple(reader.rows), tuple(reader.closings))
    return (None if reader.problems else statement), tuple(reader.problems)


def decode_export(data: bytes, name: str) -> tuple[str, str, tuple[Problem, ...]]:
    """The text, the encoding it was in, and a problem where it is in none: a byte order mark decides, then strict UTF-8,
    else GB18030 (which GBK and GB2312 are part of), in which the provider's console writes for Excel."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problem = Problem(Place(name), kinds.UNKNOWN_ENCODING, "the file is UTF-16; save it as UTF-8 or GB18030")
        return "", "", (problem,)
    if data.startswith(b"\xef\xbb\xbf"):
        encodings = [("utf-8-sig", "UTF-8 with a byte order mark")]
    else:
        encodings = [("utf-8", "UTF-8"), ("gb18030", "GB18030")]
    for encoding, called in encodings:
        try:
            return data.decode(encoding), called, ()
        except UnicodeDecodeError as error:
            at = error.start
    line = data.count(b"\n", 0, at) + 1
    message = f"byte 0x{data[at]:02x} fits neither UTF-8 nor GB18030; export the file again"
    return "", "", (Problem(Place(name, line), kinds.UNKNOWN_ENCODING, message),)


class _Reader:
    """Gathers the rows and problems of several files."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.problems: list[Problem] = []
        self.paths: list[Path] = []
        self.files: list[ExportFile] = []
        self.rows: list[StatementRow] = []
        self.closings: list[ClosingRow] = []
        self.pages: list[Page] = []
        #: A row's RecordID and all that it says -> where it stands.
        self.records: dict[tuple[str, str], Place] = {}

    def tell(self, place: Place, kind: Kind, message: str) -> None:
        self.problems.append(Problem(place, kind, message))

    def file(self, name: str) -> None:
        called, path = printable(name), Path(name)
        try:
            data = path.read_bytes()
            repeated = any(path.samefile(other) for other in self.paths)
        except OSError as error:
            self.tell(Place(called), kinds.UNREADABLE_FILE, f"it cannot be read: {error.strerror or error}")
            return
        if repeated:
            self.tell(Place(called), kinds.REPEATED_EXPORT, "this file is given twice, and would count twice")
            return
        self.paths.append(path)
        text, encoding, problems = decode_export(data, called)
        if problems:
            self.problems += problems
            return
        before = len(self.rows)
        is_json = text.lstrip()[:1] in ("{", "[")
        (self._json if is_json else self._csv)(text, called)
        self.files.append(ExportFile(called, "json" if is_json else "csv", encoding, len(self.rows) - before))

    def _csv(self, text: str, name: str) -> None:
        reader = RowReader(self.problems, currency=self.currency, exponent=False)
        columns: dict[str, int] = {}
        width = 0
        first = len(self.rows)
        for line, raw, fields in self._csv_rows(text, name):
            if not width:
                width = len(fields)
                columns = self._header(fields, raw, Place(name, line))
                if not columns:
                    return
                continue
            closing = _is_closing(fields, columns)
            if not closing and (len(fields) < width or any(field.strip() for field in fields[width:])):
                message = f"the row has {len(fields)} fields, and the header {width}"
                self.tell(Place(name, line), kinds.WRONG_ROW_LENGTH, message)
                continue
            cells = {column: fields[index].strip() for column, index in columns.items() if index < len(fields)}
            where = _CsvPlaces(name, line, raw, columns)
            if closing:
                amounts = reader.amounts(cells, where, SUMMED)
                self.closings.append(ClosingRow(where(""), amounts, first, len(self.rows)))
            elif (row := reader.row(cells, where)) and self._is_new(cells, repr(fields), where("")):
                self.rows.append(row)
        if not width:
            self.tell(Place(name), kinds.NO_ROWS, "the file is empty")

    def _csv_rows(self, text: str, name: str) -> Iterator[tuple[int, str, list[str]]]:
        """The line each row starts on, its text and its fields; rows without any text are passed over."""
        lines = io.StringIO(text, newline="").readlines()
        rows = csv.reader(iter(lines), strict=True)
        while True:
            before = rows.line_num
            try:
                fields = next(rows, None)
            except csv.Error as error:
                self.tell(Place(name, before + 1), kinds.BROKEN_CSV, f"this cannot be read as CSV: {error}")
                return
            if fields is None:
                return
            if any(field.strip() for field in fields):
                yield before + 1, "".join(lines[before : rows.line_num]), fields

    def _header(self, names: list[str], raw: str, place: Place) -> dict[str, int]:
        columns, repeated, missing = find_columns(names)
        for index, message in repeated:
            self.tell(Place(place.file, *_position(raw, index, place.line)), kinds.REPEATED_COLUMN, message)
        for message in missing:
            self.tell(place, kinds.MISSING_COLUMN, message)
        return {} if missing or repeated else columns

    def _json(self, text: str, name: str) -> None:
        reader = RowReader(self.problems, currency=self.currency, exponent=True)
        try:
            for document in read_documents(io.StringIO(text)):
                path = next((path for path in _ITEM_PATHS if _holds(document.value, path)), None)
                if path is None:
                    message = "no list of bill items stands here; wanted is an answer of the bill API, or its Items"
                    self.tell(Place(name, document.line, document.column), kinds.NO_ROWS, message)
                    continue
                before = len(self.rows)
                for record in read_records(document, path):
                    if isinstance(record, JsonRecord) and (row := self._json_row(record, reader, name)):
                        self.rows.append(row)
                place = Place(name, document.line, document.column)
                if page := page_of(document.value, place, self.rows[before:]):
                    self.pages.append(page)
        except JsonError as error:
            self.tell(Place(name, error.line, error.column), kinds.BROKEN_JSON, error.message)

    def _json_row(self, record: JsonRecord, reader: RowReader, name: str) -> StatementRow | None:
        item = record.scopes[0].value
        where = _JsonPlaces(name, record)
        if not isinstance(item, dict):
            self.tell(where(""), kinds.NOT_A_VALUE, "a bill item must be an object")
            return None
        columns, repeated, missing = find_columns(list(item))
        month = record.value(FieldPath("BillingCycle", 1, ("Data", "BillingCycle")))
        if isinstance(month, str) and "month" not in columns:
            missing = [message for message in missing if shown("month") not in message]
        for message in [message for _, message in repeated] + missing:
            self.tell(where(""), kinds.MISSING_COLUMN, message)
        if missing or repeated:
            return None
        names = list(item)
        cells: dict[str, str] = {}
        for column, index in columns.items():
            value = item[names[index]]
            where.names[column] = names[index]
            if isinstance(value, dict | list | bool):
                self.tell(where(column), kinds.NOT_A_VALUE, f"{quoted(names[index])} must be a number or a text")
                return None
            cells[column] = "" if value is None else str(value).strip()
        if isinstance(month, str) and cells.get("month", "") in ABSENT:
            cells["month"] = month
        row = reader.row(cells, where)
        return row if row and self._is_new(cells, repr(sorted(item.items())), where("")) else None

    def _is_new(self, cells: Mapping[str, str], content: str, place: Place) -> bool:
        """Whether a row is not the copy of an earlier one: equal in all that it says, with one RecordID."""
        record = cells.get("record", "")
        first = place if record in ABSENT else self.records.setdefault((record, content), place)
        if first is not place:
            message = f"the row is that of {first} once more, with RecordID {quoted(record)}, and would count twice"
            self.tell(place, kinds.REPEATED_ROW, message)
        return first is place


def _expand(name: str) -> list[str]:
    if glob.has_magic(name) and not Path(name).exists():
        return sorted(glob.glob(name, recursive=True)) or [name]
    return [name]


def _holds(value: Any, path: tuple[str, ...]) -> bool:
    for step in path[:-1]:
        if not isinstance(value, dict):
            return False
        value = value.get(step)
    return isinstance(value, list)


def _is_closing(fields: Sequence[str], columns: Mapping[str, int]) -> bool:
    at = columns.get("month")
    month = fields[at].strip() if at is not None and at < len(fields) else ""
    return month in (*ABSENT, CLOSING_WORD) and any(field.strip() == CLOSING_WORD for field in fields)


class _CsvPlaces:
    """Where the cells of a CSV row stand."""

    def __init__(self, name: str, line: int, raw: str, columns: Mapping[str, int]) -> None:
        self._name, self._line, self._raw, self._columns = name, line, raw, columns

    def __call__(self, column: str) -> Place:
        if column not in self._columns:
            return Place(self._name, self._line)
        return Place(self._name, *_position(self._raw, self._columns[column], self._line))


class _JsonPlaces:
    """Where the values of a JSON item stand. `names` has the key of each column."""

    def __init__(self, name: str, record: JsonRecord) -> None:
        self._name, self._record = name, record
        self.names: dict[str, str] = {}

    def __call__(self, column: str) -> Place:
        key = self.names.get(column, "")
        return Place(self._name, *self._record.position(FieldPath(key, 0, (key,)) if key else None))


def _position(raw: str, index: int, first_line: int) -> tuple[int, int]:
    """Line and column at which field `index` of a well-formed CSV row starts."""
    in_quotes = False
    at = 0
    while index and at < len(raw):
        if raw[at] == '"':
            in_quotes = not in_quotes
        elif raw[at] == "," and not in_quotes:
            index -= 1
        at += 1
    before = raw[:at]
    return first_line + before.count("\n"), len(before) - (before.rfind("\n") + 1) + 1
