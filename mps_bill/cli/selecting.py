"""The options that choose what of a run is shown, and in which detail, in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mps_bill.cli import completion, options
from mps_bill.core.diagnostics import quoted
from mps_bill.core.times import Period, parse_bound, parse_period
from mps_bill.metering.usage_columns import is_tag

if TYPE_CHECKING:
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.rating.selection import Selection
    from mps_bill.render.formats import Format


def _shown(name: str, metavar: str, help_: str, completed: Callable[..., list[str]] | None = None) -> Any:
    """An option that chooses what is shown."""
    return options.show_option(name, metavar=metavar, help=help_, autocompletion=completed, show_default=False)


_FROM = "Show only cycles from this day, month or time on (the billing clock); all usage is still billed."
_TO = "Show only cycles before this day, month or time."
_ON = "Show only this day or month, such as 2023-11-17 or 2023-11."
_ONLY = "Show only lines with this item, family, spec, region or tag_...; one key twice is or, two keys are and."


@dataclass(frozen=True, slots=True)
class Selecting:
    """What of a run a command shows. A field is an option: its type says how it is spelt."""

    from_: Annotated[str | None, _shown("--from", "TIME", _FROM)] = None
    to: Annotated[str | None, _shown("--to", "TIME", _TO)] = None
    on: Annotated[list[str] | None, _shown("--on", "DAY", _ON)] = None
    only: Annotated[list[str] | None, _shown("--only", "KEY=VALUE", _ONLY, completion.only)] = None

    def selection(self, book: PriceBook, groupings: Iterable[Sequence[str]] = ()) -> Selection:
        """What is shown, on the billing clock of the price sheets, of a run that is summarised by these groupings.

        Raises:
            typer.BadParameter: an option is not understood, or the options exclude one another.
        """
        from mps_bill.rating.selection import Selection

        only = self._only()
        tags = {key for keys in (*groupings, only) for key in keys if is_tag(key)}
        return Selection(self._period(book.offset), only, tuple(sorted(tags)))

    def _period(self, offset: int) -> Period:
        if self.on and (len(self.on) > 1 or self.from_ is not None or self.to is not None):
            message = "it is one day or month, and goes with no other period; a longer one is --from and --to"
            raise typer.BadParameter(message, param_hint="--on")
        if self.on:
            with options.named("--on"):
                return parse_period(self.on[0], offset)
        with options.named("--from"):
            start = None if self.from_ is None else parse_bound(self.from_, offset)
        with options.named("--to"):
            end = None if self.to is None else parse_bound(self.to, offset)
        if start is not None and end is not None and start >= end:
            message = (
                f"{quoted(self.to or '')} is not after --from {quoted(self.from_ or '')}, and is not in the period"
            )
            raise typer.BadParameter(message, param_hint="--to")
        return Period(start, end)

    def _only(self) -> dict[str, frozenset[str]]:
        from mps_bill.rating.selection import LINE_KEYS

        wanted: dict[str, frozenset[str]] = {}
        for pair in self.only or ():
            key, equals, value = pair.partition("=")
            if not equals:
                raise typer.BadParameter(
                    f"{quoted(pair)} is not KEY=VALUE, such as region=cn-shanghai", param_hint="--only"
                )
            options.check_key(key, LINE_KEYS, "--only")
            wanted[key] = wanted.get(key, frozenset()) | {value}
        return wanted


#: Summaries that two pages have room for, beside those by day and by item.
_IN_SHORT = 3


@dataclass(frozen=True, slots=True)
class Detail(Selecting):
    """What of bills a command shows, and how much of it: summaries, and bills in full."""

    by: options.By = None
    in_full: options.InFull = None
    show_all: options.ShowAll = False
    summary: options.Summary = False

    def groupings(self, format_: Format) -> tuple[tuple[str, ...], ...]:
        """The groupings of each summary asked for, checked; none where they are only defaults that a format, or what is in short
        on two pages, cannot show."""
        from mps_bill.ask.summaries import GROUPINGS

        by = self.by or ()
        found = [tuple(text.split(",")) for text in by]
        for grouping in (grouping for summary in found for grouping in summary):
            options.check_key(grouping, GROUPINGS, "--by")
        if twice := next((",".join(summary) for summary in found if len(set(summary)) < len(summary)), None):
            raise typer.BadParameter(f"{quoted(twice)} has a grouping twice", param_hint="--by")
        asked = tuple(dict.fromkeys(found))
        is_default = all(isinstance(text, options.DefaultText) for text in by)
        has_room = len(asked) <= _IN_SHORT and all(len(summary) == 1 for summary in asked)
        if self.summary and not has_room and not is_default:
            message = f"two pages have room for {_IN_SHORT} summaries, by one grouping each; leave out the others"
            raise typer.BadParameter(message, param_hint="--by")
        return () if is_default and not (format_.shows(asked) and (has_room or not self.summary)) else asked

    @property
    def bills_in_full(self) -> int | None:
        """How many bills are printed in full; None where that depends on the length of the run."""
        if self.summary and (self.show_all or self.in_full is not None):
            option = "--all" if self.show_all else "--bills"
            raise typer.BadParameter(f"it has no bill in full; leave out {option}", param_hint="--summary")
        return sys.maxsize if self.show_all else self.in_full
