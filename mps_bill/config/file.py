"""The format of the config file, and reading it."""

from __future__ import annotations

import os
from pathlib import Path

from mps_bill.config import KEYS, Setting
from mps_bill.core.diagnostics import InputRejected, Kind, quoted
from mps_bill.core.files import is_special
from mps_bill.core.language import LANGUAGES
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.core.times import offset_text
from mps_bill.documents.fields import Fields, Located, Many, optional
from mps_bill.documents.read_document import Document, read_document
from mps_bill.documents.shapes import Later, ListOf, MapOf, Record
from mps_bill.documents.values import Choice, Text, line, offset, words
from mps_bill.render.formats import DEFAULTS

NO_CONFIG = Kind("C101", "no-config")
BAD_TEXT = Kind("C201", "bad-text")
UNKNOWN_FORMAT = Kind("C202", "unknown-format")
BAD_OFFSET = Kind("C203", "bad-offset")
UNKNOWN_LANGUAGE = Kind("C204", "unknown-language")


def _text(name: str) -> Text[str]:
    return line(name, BAD_TEXT, 500)


PRICES = optional("prices", ListOf("the price sheets", _text("a price sheet"), unique=True), "files, folders, ids")
ACCOUNT = optional("account", _text("an account file"), "the account that pays")
PROFILE = optional("profile", _text("an import profile"), "how files other than usage files are read")
SET = optional("set", MapOf("the constants", _text("a column"), _text("a value")), "constant columns for the profile")
FORMAT = optional(
    "format",
    Choice("a default format", words(*DEFAULTS), UNKNOWN_FORMAT),
    "how results are printed",
)
TIMEZONE = optional("timezone", offset(BAD_OFFSET), "the offset of times without one")
BY = optional("by", ListOf("the groupings", _text("a grouping"), unique=True), "what summaries group by")
LANGUAGE = optional(
    "language",
    Choice("a language", words(*LANGUAGES), UNKNOWN_LANGUAGE),
    "the language of tables, pages, workbooks and charts",
)


def _books() -> Record:
    from mps_bill.view.books import SHAPE

    return SHAPE


BOOKS = optional("books", Later(_books), "accounts of journals (beancount, hledger)")
CONFIG = Record("the config file", (PRICES, ACCOUNT, PROFILE, SET, FORMAT, TIMEZONE, BY, LANGUAGE, BOOKS))
DOCUMENT = Document("mps-bill config file", CONFIG, NO_CONFIG)
law(tuple(field.key for field in CONFIG.fields) == (*KEYS, BOOKS.key), "the config's keys are not those of the options")


def read_file(path: Path) -> dict[str, Setting]:
    """Return the settings of a config file, or raise `InputRejected` with every problem. Its paths are relative to the file (or
    to the working folder if it is a pipe), and are returned relative to the working folder."""
    folder = "." if is_special(path) else os.path.relpath(path.parent)
    document = read_document(DOCUMENT, path, os.path.relpath(path))
    if document.problems or document.fields is None:
        raise InputRejected(document.problems)
    return {key: _setting(key, value, folder) for key, value in document.fields.values.items()}


def _setting(key: str, value: object, folder: str) -> Setting:
    match value:
        case Fields():
            from mps_bill.view.books import books_text

            return Setting(tuple(books_text(value)), str(value.place))
        case Located():
            text = offset_text(value.value) if key == TIMEZONE.key else str(value.value)
            return Setting((_path(key, text, folder),), str(value.place))
        case Many():
            texts = [
                _path(key, part.value, folder) if isinstance(part, Located) else f"{part.key.value}={part.value.value}"
                for part in value.parts
            ]
            return Setting(tuple(texts), str(value.place))
    raise BrokenLaw(f"{quoted(key)} has a value of an unknown shape")


def _path(key: str, text: str, folder: str) -> str:
    """Return a path relative to the working folder. A text that names no file next to the config may be a shipped id."""
    if key == ACCOUNT.key:
        return os.path.normpath(os.path.join(folder, text))
    if key in (PRICES.key, PROFILE.key) and os.path.exists(beside := os.path.join(folder, text)):
        return os.path.normpath(beside)
    return text
