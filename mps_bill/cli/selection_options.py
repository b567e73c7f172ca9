"""The options that choose which part of a run is shown, and in how much detail."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import show_option
from mps_bill.cli.output import invalid
from mps_bill.core.diagnostics import one_of, quoted
from mps_bill.core.times import Period, parse_bound, parse_period
from mps_bill.metering.usage_columns import is_tag
from mps_bill.render.formats import ON_PAPER, names_of

if TYPE_CHECKING:
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.rating.selection import Selection
    from mps_bill.render.formats import Format


_FROM = "Show only cycles from this day, month or time onwards (on the billing clock). All usage is still billed."
_TO = "Show only cycles before this day, month or time."
_ON = "Show only this day or month, such as 2023-11-17 or 2023-11."
_ONLY = (
    "Show only lines with this value of item, family, spec, region or a tag_... column. Several values of a key are"
    " alternatives; different keys must all match."
)


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """The options for the part of a run that is shown."""

    from_: Annotated[str | None, show_option("--from TIME", _FROM)] = None
    to: Annotated[str | None, show_option("--to TIME", _TO)] = None
    on: Annotated[list[str] | None, show_option("--on DAY", _ON)] = None
    only: Annotated[list[str] | None, show_option("--only KEY=VALUE", _ONLY, completion.only)] = None

    def resolve(self, book: PriceBook, groupings: Iterable[Sequence[str]]) -> Selection:
        """Return the selection on the billing clock of the price sheets. Its tags are those of `groupings` and of --only.

        Raises:
            typer.BadParameter: an option is not understood, or the options exclude one another.
        """
        from mps_bill.rating.selection import Selection

        only = self._only()
        tags = {key for keys in (*groupings, only) for key in keys if is_tag(key)}
        return Selection(self._period(book.offset), only, tuple(sorted(tags)))

    @contextmanager
    def named(self, selection: Selection) -> Iterator[None]:
        """Report a `SelectionError` inside the context as an invalid value of the option that caused it."""
        from mps_bill.rating.selection import SelectionError

        try:
            yield
        except SelectionError as error:
            bound = "--on" if self.on else "--from" if error.edge == selection.period.start else "--to"
            raise invalid("--only" if error.edge is None else bound, str(error)) from None

    def _period(self, offset: int) -> Period:
        if self.on and (len(self.on) > 1 or self.from_ is not None or self.to is not None):
            raise invalid("--on", "give one day or month, without --from and --to")
        if self.on:
            with options.named("--on"):
                return parse_period(self.on[0], offset)
        bound = partial(parse_bound, offset=offset)
        start, end = options.parsed("--from", self.from_, bound), options.parsed("--to", self.to, bound)
        if start is not None and end is not None and start >= end:
            bounds = f"{quoted(self.to or '')} is not after --from {quoted(self.from_ or '')}"
            raise invalid("--to", f"{bounds}; the period ends before the time of --to")
        return Period(start, end)

    def _only(self) -> dict[str, frozenset[str]]:
        from mps_bill.rating.selection import LINE_KEYS

        wanted: dict[str, frozenset[str]] = {}
        for pair in self.only or ():
            key, equals, value = pair.partition("=")
            if not equals:
                raise invalid("--only", f"{quoted(pair)} is not KEY=VALUE, such as region=cn-shanghai")
            options.check_key(key, LINE_KEYS, "--only")
            wanted[key] = wanted.get(key, frozenset()) | {value}
        return wanted


_SUMMARY = (
    f"A two-page report to sign, in {one_of(names_of(ON_PAPER))}: key figures, costs by day, by item and --by,"
    " payments and what is left of the account."
)
#: The number of summaries that fit on two pages, in addition to those by day and by item.
_IN_SHORT = 3


@dataclass(frozen=True, slots=True)
class DetailOptions(SelectionOptions):
    """The options for the bills that are shown: which, by what summaries, and how many in full."""

    by: options.By = None
    in_full: options.InFull = None
    show_all: options.ShowAll = False
    summary: Annotated[bool, show_option("--summary", _SUMMARY)] = False

    def groupings(self, format_: Format) -> tuple[tuple[str, ...], ...]:
        """Return the groupings of each requested summary. Defaults that the format, or a report on two pages, cannot show are
        ignored.

        Raises:
            typer.BadParameter: a grouping is unknown or given twice, or there are too many for two pages.
        """
        from mps_bill.ask.summaries import GROUPINGS

        by = self.by or ()
        found = [tuple(text.split(",")) for text in by]
        for grouping in (grouping for summary in found for grouping in summary):
            options.check_key(grouping, GROUPINGS, "--by")
        if twice := next((",".join(summary) for summary in found if len(set(summary)) < len(summary)), None):
            raise invalid("--by", f"{quoted(twice)} has a grouping twice")
        asked = tuple(dict.fromkeys(found))
        is_default = all(isinstance(text, options.DefaultText) for text in by)
        has_room = len(asked) <= _IN_SHORT and all(len(summary) == 1 for summary in asked)
        if self.summary and not has_room and not is_default:
            raise invalid("--by", f"with --summary give at most {_IN_SHORT} summaries, each by one grouping")
        return () if is_default and not (format_.shows(asked) and (has_room or not self.summary)) else asked

    @property
    def bills_in_full(self) -> int | None:
        """The number of bills to print in full; None if it depends on the period of the bills."""
        if self.summary and (self.show_all or self.in_full is not None):
            option = "--all" if self.show_all else "--bills"
            raise invalid("--summary", f"the report has no full bills; remove {option}")
        return sys.maxsize if self.show_all else self.in_full
