"""How a command shows its result: --format and --output, in one place; and how a command ends."""

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
from mps_bill.core.diagnostics import ProblemReport, one_of, quoted
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
)

if TYPE_CHECKING:
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.rating.selection import Selection
    from mps_bill.render.joined import Joined


@dataclass(frozen=True, slots=True)
class Showing:
    """The format that was asked for, the file to write to (None: standard output), whether CSV begins with a mark, and the
    language of what people read."""

    format: Format
    output: str | None
    bom: bool = False
    language: str = ENGLISH

    def show(self, view: Any) -> None:
        """Writes the part of the view that the format shows; a file appears whole or not at all."""
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
        write_bytes(self.output, data.getvalue())

    def check(self, groupings: Sequence[tuple[str, ...]], selection: Selection, *, in_short: bool) -> None:
        """Refuses a summary or a selection that the format cannot show, since it would be missed by nobody, and two pages of
        one that has none."""
        if in_short and self.format.part not in ON_PAPER:
            raise invalid("--summary", "it needs --format html or xlsx")
        taken = self.format.by
        if taken and not self.format.shows(groupings):
            raise invalid("--by", f"{self.format.name} takes one of {one_of(taken)} for --by")
        for asked, option in (
            (not self.format.shows(groupings), "--by"),
            (selection.only and "--only" in self.format.cannot, "--only"),
            (selection.period != ALWAYS and "--on" in self.format.cannot, "--from, --to or --on"),
        ):
            if asked:
                raise invalid("--format", f"{self.format.name} has whole bills only; remove {option}")

    @contextmanager
    def opened(self, *, there: bool = False) -> Iterator[IO[str]]:
        """The stream for a format of text, as `open_output`; pages, charts and FOCUS
        never begin with a mark. While it is open, texts are in the language of the format."""
        bom = self.bom and self.format.part in JOINED
        with open_output(self.output, bom=bom, there=there) as stream, language(self._language):
            yield stream

    def check_joined(self) -> None:
        """Refuses the formats that are about one account."""
        if self.format.part not in JOINED:
            others = one_of([format_.name for format_ in formats_of(JOINED)])
            message = f"{self.format.name} is a report on one account, and the usage is of several"
            raise invalid("--format", f"{message}; use {others}, or give the usage of one account")

    def joined(self, book: PriceBook, stream: IO[str], *, settled: bool) -> Joined:
        """What writes the views of accounts to the stream."""
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
        """Ends a command, after its result: reports what records do not hold, and gives the exit code. `crossed` are
        the limits that were crossed, in words, which are reported with --quiet too."""
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
    """What a run may come to (`--fail-over`), and whether it may leave anything outstanding (`--fail-on-outstanding`)."""

    amount: Decimal | None
    none_outstanding: bool = False

    def crossed(self, comes_to: Decimal, currency: str, owed: Decimal = ZERO, *, is_part: bool) -> Iterator[str]:
        """How far what is payable, or of parts of bills their net amount, is above its limit, and what is owed, in words."""
        if self.amount is not None and comes_to > self.amount:
            more = amount_text(EXACT.subtract(comes_to, self.amount))
            shown = f"{'net amount' if is_part else 'payable'} {amount_text(comes_to)} {currency}"
            yield f"{shown} is above --fail-over {amount_text(self.amount)} by {more}"
        if owed and self.none_outstanding:
            yield f"{amount_text(owed)} {currency} outstanding, and --fail-on-outstanding allows none"


_LANG = "Language of tables, pages, workbooks and charts; what programs read and messages are English. Default: en."


def shows(*parts: Part, bom: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command whose view has these parts the options --format and --output (with `bom` also --bom, with a part for
    people also --lang), and hands them to it as its parameter `showing`. What it offers is what the list of formats has for
    the parts."""
    formats = {one.name: one for one in formats_of(parts)}

    def default_format(context: typer.Context, value: str | None) -> str | None:
        """The format of the config, which gives way to the suffix of the file that was asked for, and which not all commands
        have."""
        asked = None if value or context.params.get("output") else context.lookup_default("format")
        if asked and asked not in DEFAULTS:
            raise invalid(VARIABLES["format"], f"{quoted(asked)} is not a default format; expected {one_of(DEFAULTS)}")
        return value or (asked if asked in formats else None)

    about = f"Output format. Default: by the suffix of --output, else {next(iter(formats))}."
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

    def showing(format_: str | None, output: str | None, *, bom: bool = False, lang: str | None = None) -> Showing:
        """Refuses what cannot be written, before any work is done for it."""
        chosen = formats[format_] if format_ else _format_for(output, tuple(formats.values()))
        if not chosen.can_write:
            install = f'run: pip install "mps-bill[{chosen.name}]"'
            raise invalid("--format", f"{chosen.about} needs the package {chosen.needs}; {install}")
        if chosen.binary and output is None and sys.stdout.isatty():
            example = f"name a file, such as --output bill.{chosen.name}"
            raise invalid("--format", f"{chosen.about} cannot be shown on a terminal; {example}")
        return Showing(chosen, output, bom, lang or ENGLISH)

    return lambda command: with_options(command, "showing", spelled, showing)


def _one_of(words: Iterable[str], option: Any) -> object:
    """The type of an option that is one of some words, or not given."""
    return Annotated[Literal[tuple(words)] | None, option]


def _format_for(output: str | None, formats: tuple[Format, ...]) -> Format:
    """The format that the name of the output file asks for, or the first."""
    found = formats[0] if output is None else format_of_file(output, formats)
    if found is None and output is not None and is_special(output):
        # A device or a pipe has no suffix to go by; it is like standard output.
        return formats[0]
    if found is None:
        suffixes = [suffix for format_ in formats for suffix in format_.suffixes]
        raise invalid("--output", f"{quoted(output or '')} does not end in {one_of(suffixes)}; give --format")
    return found
