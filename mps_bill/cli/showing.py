"""How a command shows its result: --format and --output, in one place; and how a command ends."""

from __future__ import annotations

import decimal
import inspect
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.output import open_output, say, say_problems, write_bytes
from mps_bill.cli.reading import with_options
from mps_bill.core.decimals import EXACT
from mps_bill.core.diagnostics import ProblemReport, one_of, quoted
from mps_bill.core.files import is_special
from mps_bill.core.language import ENGLISH, language
from mps_bill.core.times import ALWAYS
from mps_bill.render.formats import FOR_PEOPLE, JOINED, ON_PAPER, Format, Part, TooLarge, format_of_file, formats_of

if TYPE_CHECKING:
    from mps_bill.metering.groups import ControlTotals
    from mps_bill.rating.selection import Selection


#: The parts that have no place to say that a run is shown in part.
_SAYS_NOT = ("records", "focus", "charts")


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
                raise typer.BadParameter(str(error), param_hint="--format") from None
        write_bytes(self.output, data.getvalue())

    def check(self, groupings: Sequence[tuple[str, ...]], selection: Selection, *, in_short: bool) -> None:
        """Refuses a summary or a selection that the format cannot show, since it would be missed by nobody, and two pages of
        one that has none.

        Raises:
            typer.BadParameter: names the option.
        """
        if in_short and self.format.part not in ON_PAPER:
            message = f"it makes two pages, which {self.format.name} does not have; use --format html or xlsx"
            raise typer.BadParameter(message, param_hint="--summary")
        taken = self.format.by
        if taken and not self.format.shows(groupings):
            raise typer.BadParameter(f"{self.format.name} takes one of {one_of(taken)} for --by", param_hint="--by")
        for asked, option in (
            (not self.format.shows(groupings), "--by"),
            (selection.only and "--only" in self.format.cannot, "--only"),
            (selection.period != ALWAYS and "--on" in self.format.cannot, "--from, --to or --on"),
        ):
            if asked:
                message = f"{self.format.name} is of whole bills, without summaries; leave out {option}"
                raise typer.BadParameter(message, param_hint="--format")

    @contextmanager
    def opened(self, *, there: bool = False) -> Iterator[IO[str]]:
        """The stream for a format of text, as `open_output`; pages, charts and FOCUS
        never begin with a mark. While it is open, texts are in the language of the format."""
        bom = self.bom and self.format.part in JOINED
        with open_output(self.output, bom=bom, there=there) as stream, language(self._language):
            yield stream

    @property
    def _language(self) -> str:
        return self.language if self.format.part in FOR_PEOPLE else ENGLISH

    @property
    def is_prose(self) -> bool:
        """Whether a person reads it, for whom the result alone is enough."""
        return self.format.part == "printed"

    def end(
        self,
        problems: ProblemReport | None = None,
        control_totals: ControlTotals | None = None,
        *,
        notices: Iterable[str] = (),
        shown: str = "",
        found: bool = False,
        crossed: Iterable[str] = (),
        quiet: bool = False,
    ) -> int:
        """Ends a command, after its result: reports what records do not hold, and gives the exit code. `crossed` are
        the limits that were crossed, in words, which are reported with --quiet too. `shown` says
        which part of the run the result is, for the formats that cannot."""
        if control_totals and self.format.part == "records":
            from mps_bill.view.reading_report import control_totals_text

            say(control_totals_text(control_totals), quiet=quiet)
        if shown and self.format.part in _SAYS_NOT:
            say(shown, quiet=quiet)
        for notice in notices:
            say(notice, quiet=quiet)
        if problems and problems.total:
            say_problems(problems)
            found = True
        limits = list(crossed)
        for limit in limits:
            say(f"A limit was crossed: {limit}")
        return exit_codes.LIMIT_CROSSED if limits else exit_codes.FOUND if found else exit_codes.DONE


def shows(*parts: Part, bom: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command whose view has these parts the options --format and --output (with `bom` also --bom, with a part for
    people also --lang), and hands them to it as its parameter `showing`. What it offers is what the list of formats has for
    the parts."""
    formats = formats_of(parts)
    choices = StrEnum("Format", {format_.name: format_.name for format_ in formats})  # type: ignore[misc]
    option = typer.Option(
        "--format",
        "-f",
        callback=_unless_output_says,
        show_default=False,
        help=f"Output format. Default: by the suffix of --output, else {formats[0].name}.",
        rich_help_panel=options.SHOW,
    )
    spelt: list[tuple[str, object, object]] = [
        ("format_", Annotated[choices | None, option], None),
        ("output", options.Output, None),
    ]
    if bom:
        spelt.append(("bom", options.Bom, False))
    if set(parts) & set(FOR_PEOPLE):
        spelt.append(("lang", options.Lang, None))
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in spelt
    ]

    def showing(format_: str | None, output: str | None, *, bom: bool = False, lang: str | None = None) -> Showing:
        chosen = next((one for one in formats if one.name == format_), None)
        return _checked(Showing(chosen or _format_for(output, formats), output, bom, lang or ENGLISH))

    return lambda command: with_options(command, "showing", parameters, showing)


def _unless_output_says(context: typer.Context, option: typer.CallbackParam, value: str | None) -> str | None:
    """A format that is only a default gives way to the suffix of the file that was asked for now."""
    return value if options.is_given(context, option) or not context.params.get("output") else None


def _format_for(output: str | None, formats: tuple[Format, ...]) -> Format:
    """The format that the name of the output file asks for, or the first."""
    found = formats[0] if output is None else format_of_file(output, formats)
    if found is None and output is not None and is_special(output):
        # A device or a pipe has no suffix to go by; it is like standard output.
        return formats[0]
    if found is None:
        suffixes = [suffix for format_ in formats for suffix in format_.suffixes]
        message = f"{quoted(output or '')} does not end in {one_of(suffixes)}; give --format"
        raise typer.BadParameter(message, param_hint="--output")
    return found


def _checked(showing: Showing) -> Showing:
    """Refuses what cannot be written, before any work is done for it."""
    wanted = showing.format
    if not wanted.can_write:
        message = f'{wanted.about} needs the package {wanted.needs}; run: pip install "mps-bill[{wanted.name}]"'
        raise typer.BadParameter(message, param_hint="--format")
    if wanted.binary and showing.output is None and sys.stdout.isatty():
        message = f"{wanted.about} cannot be shown on a terminal; name a file, such as --output bill.{wanted.name}"
        raise typer.BadParameter(message, param_hint="--format")
    return showing
