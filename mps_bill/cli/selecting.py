"""The options that choose what of a run is shown: --from, --to, --on and --only, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer

from mps_bill.cli import completion, options
from mps_bill.cli.reading import with_fields
from mps_bill.core.diagnostics import near_miss, one_of, quoted
from mps_bill.core.times import Period, parse_bound, parse_period
from mps_bill.metering.usage_columns import is_tag
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.selection import LINE_KEYS, Selection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selecting:
    """What of a run a command shows. A field is an option: its type says how it is spelt."""

    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Show only cycles from this day, month or time on (the billing clock); all usage is still billed.",
            show_default=False,
            rich_help_panel=options.SHOW,
        ),
    ] = None
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TIME",
            help="Show only cycles before this day, month or time.",
            show_default=False,
            rich_help_panel=options.SHOW,
        ),
    ] = None
    on: Annotated[
        list[str] | None,
        typer.Option(
            "--on",
            metavar="DAY",
            help="Show only this day or month, such as 2023-11-17 or 2023-11.",
            show_default=False,
            rich_help_panel=options.SHOW,
        ),
    ] = None
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="KEY=VALUE",
            help="Show only lines with this item, family, spec, region or tag_...; one key twice is or, two keys are and.",
            autocompletion=completion.only,
            show_default=False,
            rich_help_panel=options.SHOW,
        ),
    ] = None

    def selection(self, book: PriceBook, groupings: Iterable[Sequence[str]] = ()) -> Selection:
        """What is shown, on the billing clock of the price sheets, of a run that is summarised by these groupings.

        Raises:
            typer.BadParameter: an option is not understood, or the options exclude one another.
        """
        only = self._only()
        tags = {key for keys in (*groupings, only) for key in keys if is_tag(key)}
        return Selection(self._period(book.offset), only, tuple(sorted(tags)))

    def _period(self, offset: int) -> Period:
        if self.on and (len(self.on) > 1 or self.from_ is not None or self.to is not None):
            message = "it is one day or month, and goes with no other period; a longer one is --from and --to"
            raise typer.BadParameter(message, param_hint="--on")
        if self.on:
            return _parsed(parse_period, self.on[0], offset, "--on")
        start, end = (
            None if text is None else _parsed(parse_bound, text, offset, name)
            for text, name in ((self.from_, "--from"), (self.to, "--to"))
        )
        if start is not None and end is not None and start >= end:
            message = (
                f"{quoted(self.to or '')} is not after --from {quoted(self.from_ or '')}, and is not in the period"
            )
            raise typer.BadParameter(message, param_hint="--to")
        return Period(start, end)

    def _only(self) -> dict[str, frozenset[str]]:
        wanted: dict[str, frozenset[str]] = {}
        for pair in self.only or ():
            key, equals, value = pair.partition("=")
            if not equals:
                raise typer.BadParameter(
                    f"{quoted(pair)} is not KEY=VALUE, such as region=cn-shanghai", param_hint="--only"
                )
            if key not in LINE_KEYS and not is_tag(key):
                hint = near_miss(key, LINE_KEYS, priced=False)
                message = f"{quoted(key)} is not {one_of([*LINE_KEYS, 'a tag_... column'])}{hint}"
                raise typer.BadParameter(message, param_hint="--only")
            wanted[key] = wanted.get(key, frozenset()) | {value}
        return wanted


def _parsed(parse: Callable[[str, int], T], text: str, offset: int, option: str) -> T:
    try:
        return parse(text, offset)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def selects(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command the options of `Selecting`, and hands them to it as its parameter `selecting`."""
    return with_fields(command, "selecting", Selecting)
