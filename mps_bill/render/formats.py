"""The one list of formats. The formats that a command offers, completes and derives from a file's suffix follow from this list
and from the parts of its view.

A new format is a line in `FORMATS` and a module of its name in this package (or an existing one) with a function
`write(part, stream)`, where `part` is the result of the view's method of that name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any, Literal

#: The parts of views, described in `mps_bill/view/__init__.py`.
Part = Literal[
    "printed", "document", "records", "page", "tables", "charts", "focus", "journal", "lines", "findings", "suites"
]  # fmt: skip

#: The parts that can be joined into one result for many accounts.
JOINED = ("printed", "document", "records")
#: The parts that people read, in the language that they choose. The others are for programs and always English.
FOR_PEOPLE = ("printed", "page", "tables", "charts")
#: The parts that a short run (`in_short`) has.
ON_PAPER = ("page", "tables")


class TooLarge(Exception):
    """A result is too large for a format; the message says what is, and the remedy."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that shows a part of a view.

    `suffixes`: the endings of file names that select it ("" for any other name). `module`: the module that writes it, if it does
    not have the format's name. `binary`: not for terminals. `needs`: an optional package without which it cannot be written;
    `about` is the name of the format in the message about that. `unsupported`: options that do not work with it. `by`: the
    groupings of which it can show one (None: any number of any).
    """

    name: str
    part: Part
    suffixes: tuple[str, ...] = ()
    module: str = ""
    binary: bool = False
    needs: str = ""
    about: str = ""
    unsupported: tuple[str, ...] = ()
    by: tuple[str, ...] | None = None

    def shows(self, groupings: Sequence[tuple[str, ...]]) -> bool:
        """Return whether it can show summaries by these groupings; without groupings it always can."""
        return not groupings or self.by is None or tuple(groupings) in [((by,),) for by in self.by]

    def write(self, view: Any, stream: IO[Any]) -> None:
        """Write the part of the view to a text stream, or to a stream of bytes for a binary format."""
        self.writer.write(getattr(view, self.part)(), stream)

    @property
    def writer(self) -> Any:
        """The module that writes the format, imported only when it is needed."""
        return import_module(f"mps_bill.render.{self.module or self.name}")

    @property
    def can_write(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


#: The options that show a part of a run.
_PARTS = ("--only", "--on")
#: The formats in the order in which they are offered; the first one that a command has is its default.
FORMATS = (
    Format("table", "printed", (".txt",), "terminal"),
    Format("text", "lines", ("",), "text_lines"),
    Format("json", "document", (".json",)),
    Format("csv", "records", (".csv",)),
    Format("markdown", "printed", (".md",)),
    Format("html", "page", (".html",)),
    Format("xlsx", "tables", (".xlsx",), binary=True, needs="xlsxwriter", about="a workbook"),
    Format("chart", "charts"),
    Format("focus", "focus", module="csv", unsupported=("--only",), by=()),
    Format("beancount", "journal", (".beancount",), unsupported=_PARTS, by=("day", "month")),
    Format("hledger", "journal", (".journal", ".hledger"), unsupported=_PARTS, by=("day", "month")),
    Format("github", "findings"),
    Format("gitlab", "findings"),
    Format("junit", "suites"),
    Format("sarif", "findings"),
)
#: The parts that only checks of price sheets have; their commands take no default format from the configuration.
_OF_CHECKS = ("lines", "findings", "suites")
#: The formats that can be a default: binary formats need a file, and formats of checks would never be used.
DEFAULTS = tuple(format_.name for format_ in FORMATS if not format_.binary and format_.part not in _OF_CHECKS)


def formats_of(parts: Collection[str]) -> tuple[Format, ...]:
    """Return the formats for a view with these parts."""
    return tuple(format_ for format_ in FORMATS if format_.part in parts)


def names_of(parts: Collection[str]) -> list[str]:
    """Return the names of the formats for a view with these parts, for messages and help."""
    return [format_.name for format_ in formats_of(parts)]


def format_of_file(name: str, formats: Collection[Format]) -> Format | None:
    """Return the format for a file name by its suffix; None if no suffix matches."""
    found = [format_ for format_ in formats for suffix in format_.suffixes if suffix and name.lower().endswith(suffix)]
    return next(iter([*found, *(format_ for format_ in formats if "" in format_.suffixes)]), None)
