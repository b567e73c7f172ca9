"""The options for the result of a command (--format, --output), and how a command shows its result and ends."""

from __future__ import annotations

import decimal
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.options import show_option, with_options
from mps_bill.cli.output import invalid, open_output, say, say_problems, write_bytes
from mps_bill.config import VARIABLES
from mps_bill.core.decimals import EXACT, ZERO, amount_text
from mps_bill.core.diagnostics import ProblemReport, one_of, quoted, unknown
from mps_bill.core.files import is_special
from mps_bill.core.language import ENGLISH, LANGUAGES, language
from mps_bill.core.times import ALWAYS
from mps_bill.render.formats import (
    DEFAULTS,
    FOR_PEOPLE,
    JOINED,
    ON_PAPER,
    Format,
    Part,
    TooLarge,
    format_of_file,
    formats_of,
    names_of,
)

if TYPE_CHECKING:
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.rating.selection import Selection
    from mps_bill.render.joined import Joined


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """The requested format, the file to write to (None: standard output), whether CSV begins with a byte order mark, and the
    language of results for people."""

    format: Format
    path: str | None
    bom: bool = False
    language: str = ENGLISH

    def show(self, view: Any) -> None:
        """Write the part of the view that the format shows. A file is written completely or not at all."""
        with decimal.localcontext(EXACT):
            if not self.format.binary:
                with self.opened() as stream:
                    self.format.write(view, stream)
                return
            data = io.BytesIO()
            try:
                with language(self._language):
                    self.format.write(view, data)
            except TooLarge as error:
                raise invalid("--format", str(error)) from None
        write_bytes(self.path, data.getvalue())

    def check(self, groupings: Sequence[tuple[str, ...]], selection: Selection, *, in_short: bool) -> None:
        """Refuse a summary or a selection that the format cannot show, which would go unnoticed otherwise; `in_short`: a report
        on two pages."""
        if in_short and self.format.part not in ON_PAPER:
            raise invalid("--summary", f"it needs --format {one_of(names_of(ON_PAPER))}")
        taken = self.format.by
        if taken and not self.format.shows(groupings):
            raise invalid("--by", f"for {self.format.name}, --by is one of {one_of(taken)}")
        for asked, option in (
            (not self.format.shows(groupings), "--by"),
            (selection.only and "--only" in self.format.unsupported, "--only"),
            (selection.period != ALWAYS and "--on" in self.format.unsupported, "--from, --to or --on"),
        ):
            if asked:
                raise invalid("--format", f"{self.format.name} shows whole bills only; remove {option}")

    @contextmanager
    def opened(self, *, there: bool = False) -> Iterator[IO[str]]:
        """Open the stream for a text format, as `open_output` does. Pages, charts and FOCUS never begin with a byte order mark.
        While the stream is open, texts are in the language of the format."""
        bom = self.bom and self.format.part in JOINED
        with open_output(self.path, bom=bom, there=there) as stream, language(self._language):
            yield stream

    def check_joined(self) -> None:
        """Refuse formats that can show one account only."""
        if self.format.part not in JOINED:
            others = one_of(names_of(JOINED))
            message = f"{self.format.name} shows one account, and the usage belongs to several"
            raise invalid("--format", f"{message}; use {others}, or give the usage of one account")

    def joined(self, book: PriceBook, stream: IO[str], *, settled: bool) -> Joined:
        """Return the writer of the views of many accounts."""
        from mps_bill.render.joined import Joined
        from mps_bill.view.accounts_view import AccountsView

        return Joined(AccountsView(book.currency, settled=settled), self.format, stream)

    @property
    def _language(self) -> str:
        return self.language if self.format.part in FOR_PEOPLE else ENGLISH

    def end(
        self,
        problems: ProblemReport | None = None,
        *,
        notices: Iterable[str] = (),
        found: bool = False,
        crossed: Iterable[str] = (),
        quiet: bool = False,
    ) -> int:
        """End a command after its result: report notices, problems and the crossed limits (in words; with --quiet, too), and
        return the exit code."""
        for notice in notices:
            say(notice, quiet=quiet)
        if problems and problems.total:
            say_problems(problems)
            found = True
        limits = list(crossed)
        for limit in limits:
            say(f"A limit was crossed: {limit}")
        return exit_codes.LIMIT_CROSSED if limits else exit_codes.FOUND if found else exit_codes.DONE


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of --fail-over (None: no limit) and --fail-on-outstanding."""

    amount: Decimal | None
    none_outstanding: bool = False

    def crossed(self, amount: Decimal, currency: str, owed: Decimal = ZERO, *, is_part: bool) -> Iterator[str]:
        """Yield each crossed limit in words. `amount` is the payable amount, or the net amount if only parts of bills are
        shown; `owed` is the outstanding amount."""
        if self.amount is not None and amount > self.amount:
            more = amount_text(EXACT.subtract(amount, self.amount))
            shown = f"{'net amount' if is_part else 'payable'} {amount_text(amount)} {currency}"
            yield f"{shown} is above --fail-over {amount_text(self.amount)} by {more}"
        if owed and self.none_outstanding:
            yield f"{amount_text(owed)} {currency} outstanding, and --fail-on-outstanding allows none"


_LANG = "Language of tables, pages, workbooks and charts. Messages and data formats are always in English. Default: en."


def shows(*parts: Part, bom: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command whose view has these parts the options --format and --output, as its parameter `output`. With `bom` it has
    --bom, too, and with a part for people --lang. The formats on offer are those that show one of the parts."""
    formats = {one.name: one for one in formats_of(parts)}

    def default_format(context: typer.Context, value: str | None) -> str | None:
        """Return --format, or the format of the config. The suffix of --output takes precedence over the config, whose format
        is ignored by commands that do not have it."""
        asked = None if value or context.params.get("output") else context.lookup_default("format")
        if asked and asked not in DEFAULTS:
            raise invalid(VARIABLES["format"], unknown("default format", asked, DEFAULTS, priced=False))
        return value or (asked if asked in formats else None)

    about = f"Output format. Default: from the suffix of --output, else {next(iter(formats))}."
    spelled: dict[str, tuple[object, object]] = {
        "format_": (
            _one_of(formats, show_option("--format -f", about, callback=default_format, show_default=False)),
            None,
        ),
        "output": (options.Output, None),
    }
    if bom:
        spelled["bom"] = Annotated[bool, show_option("--bom", "Start CSV with a byte order mark, for Excel.")], False
    if set(parts) & set(FOR_PEOPLE):
        spelled["lang"] = _one_of(LANGUAGES, show_option("--lang", _LANG, show_default=False)), None

    def checked(
        format_: str | None, output: str | None, *, bom: bool = False, lang: str | None = None
    ) -> OutputOptions:
        """Refuse what cannot be written, before any work is done."""
        chosen = formats[format_] if format_ else _format_for(output, tuple(formats.values()))
        if not chosen.can_write:
            install = f'run: pip install "mps-bill[{chosen.name}]"'
            raise invalid("--format", f"{chosen.about} needs the package {chosen.needs}; {install}")
        if chosen.binary and output is None and sys.stdout.isatty():
            example = f"give a file, such as --output bill.{chosen.name}"
            raise invalid("--format", f"{chosen.about} cannot be shown on a terminal; {example}")
        return OutputOptions(chosen, output, bom, lang or ENGLISH)

    return lambda command: with_options(command, "output", spelled, checked)


def _one_of(words: Iterable[str], option: Any) -> object:
    """Return the type of an option that takes one of some words, or is not given."""
    return Annotated[Literal[tuple(words)] | None, option]


def _format_for(output: str | None, formats: tuple[Format, ...]) -> Format:
    """Return the format for the suffix of the output file, or the first format."""
    found = formats[0] if output is None else format_of_file(output, formats)
    if found is None and output is not None and is_special(output):
        # A device or a pipe has no suffix; it is treated as standard output.
        return formats[0]
    if found is None:
        suffixes = [suffix for format_ in formats for suffix in format_.suffixes]
        raise invalid("--output", f"{quoted(output or '')} does not end in {one_of(suffixes)}; give --format")
    return found
