"""The list of formats, and nothing else knows them: what a command offers, completes and takes from a file's suffix
follows from here and from the parts that its view has.

A new format is a line in `FORMATS` and a module of its name in this room (or one that is there) with a function
`write(part, stream)`, where `part` is what the view's method of that name returns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any, Literal

#: The parts of views; `view/` says what each is.
Part = Literal[
    "printed", "document", "records", "page", "tables", "charts", "focus", "journal", "lines", "findings", "suites"
]  # fmt: skip

#: The parts of which those of many accounts make one result.
JOINED = ("printed", "document", "records")
#: The parts that people read, in the language that they ask for. Programs read the others, which are always English.
FOR_PEOPLE = ("printed", "page", "tables", "charts")
#: The parts that a run in short has.
ON_PAPER = ("page", "tables")


class TooLarge(Exception):
    """A format cannot hold so much; the message says what, and the remedy."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that shows a part of a view. `module` is its own where it does not share one; `suffixes` are the endings of
    files that ask for it ("" for any other name). One that is `binary` is not for terminals. `needs` is a package that the
    program can do without, and `about` what messages then call the format. `cannot` are the options that it has no place for, and
    `by`, where it is not None, the groupings of which it takes one.
    """

    name: str
    part: Part
    suffixes: tuple[str, ...] = ()
    module: str = ""
    binary: bool = False
    needs: str = ""
    about: str = ""
    cannot: tuple[str, ...] = ()
    by: tuple[str, ...] | None = None

    def shows(self, groupings: Sequence[tuple[str, ...]]) -> bool:
        """Whether it can show these summaries; none at all it always can."""
        return not groupings or self.by is None or tuple(groupings) in [((by,),) for by in self.by]

    def write(self, view: Any, stream: IO[Any]) -> None:
        """Writes the part of the view to a stream, of text or, for a binary format, of bytes."""
        self.writer.write(getattr(view, self.part)(), stream)

    @property
    def writer(self) -> Any:
        """The module, which is imported no sooner than it writes."""
        return import_module(f"mps_bill.render.{self.module or self.name}")

    @property
    def can_write(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


#: The options that show a part of a run.
_PARTS = ("--only", "--on")
#: In the order in which they are offered; the first that a command has is its default.
FORMATS = (
    Format("table", "printed", (".txt",), "terminal"),
    Format("text", "lines", ("",), "text_lines"),
    Format("json", "document", (".json",)),
    Format("csv", "records", (".csv",)),
    Format("markdown", "printed", (".md",)),
    Format("html", "page", (".html",)),
    Format("xlsx", "tables", (".xlsx",), binary=True, needs="xlsxwriter", about="a workbook"),
    Format("chart", "charts"),
    Format("focus", "focus", module="csv", cannot=("--only",), by=()),
    Format("beancount", "journal", (".beancount",), cannot=_PARTS, by=("day", "month")),
    Format("hledger", "journal", (".journal", ".hledger"), cannot=_PARTS, by=("day", "month")),
    Format("github", "findings"),
    Format("gitlab", "findings"),
    Format("junit", "suites"),
    Format("sarif", "findings"),
)
#: The parts that only checks of price sheets have, whose commands take no default format.
_OF_CHECKS = ("lines", "findings", "suites")
#: The names of those that can be a default: the others need a file, or no command would use them.
DEFAULTS = tuple(format_.name for format_ in FORMATS if not format_.binary and format_.part not in _OF_CHECKS)


def formats_of(parts: Collection[str]) -> tuple[Format, ...]:
    """The formats of a view that has these parts."""
    return tuple(format_ for format_ in FORMATS if format_.part in parts)


def format_of_file(name: str, formats: Collection[Format]) -> Format | None:
    """The format that a file's name asks for; None where no suffix of the formats does."""
    found = [format_ for format_ in formats for suffix in format_.suffixes if suffix and name.lower().endswith(suffix)]
    return next(iter([*found, *(format_ for format_ in formats if "" in format_.suffixes)]), None)
