"""`mps-bill fetch`: the provider's own answers, from its API."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mps_bill.cli import clock, completion, exit_codes, options
from mps_bill.cli.command_help import group_of_commands
from mps_bill.cli.options import option, takes
from mps_bill.cli.output import cannot_write, invalid, open_output, say
from mps_bill.core.diagnostics import printable, quoted
from mps_bill.core.files import descriptor, is_special
from mps_bill.core.times import DAY, HOUR, parse_instant

if TYPE_CHECKING:
    from mps_bill.fetch.listings import Query
    from mps_bill.fetch.paging import ActionTotals, Page

fetch = group_of_commands("Fetch jobs, metering, bills and the account through the provider's API.")


#: How long the provider keeps jobs and metering.
_KEPT = 90 * DAY
_CLOCK_OFFSET = 8 * HOUR


def _form(pattern: str, name: str) -> Callable[[str | None], str | None]:
    """Return what checks that an option, if given, has a form; `name` is that of the form, for messages."""

    def checked(value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise typer.BadParameter(f"{quoted(value)} is not {name}")
        return value

    return checked


def _second(value: str) -> int:
    text = f"{value}T00:00:00" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else value
    try:
        instant = parse_instant(text, _CLOCK_OFFSET)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; or write a day such as 2026-10-01") from None
    if instant % 1_000_000:
        raise typer.BadParameter(f"{quoted(value)} has a fraction of a second; write whole seconds")
    return instant // 1_000_000


def _lookback(value: str) -> int:
    match = re.fullmatch(r"([0-9]{1,3})([dh])", value)
    if not match:
        raise typer.BadParameter(f"{quoted(value)} is not a duration such as 2d or 36h")
    return int(match[1]) * (DAY if match[2] == "d" else HOUR)


def _region(help_: str) -> Any:
    form = _form("[a-z]{2}-[a-z0-9-]{2,40}", "a region id such as cn-shanghai")
    return option("--region REGION", help_, completion.regions, callback=form)


_LOOPBACK = r"(127\.0\.0\.1|localhost|\[::1\])"
_address = _form(
    rf"https://[A-Za-z0-9.-]+(:[0-9]+)?|http://{_LOOPBACK}(:[0-9]+)?",
    "an address such as https://mts.cn-shanghai.aliyuncs.com; http is allowed for 127.0.0.1 only",
)
_month = _form("(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])", "a month such as 2026-10")
_SITE = "A region of the account's site: cn-... for the China site, any other for the international site."
_FROM = "Start of the period, such as 2026-10-01. Days and times without an offset are in UTC+8."
_LOOKBACK = "Also ask for jobs created this long before the period, such as 2d or 36h, because they can finish in it."
_ENDPOINT = "Use this address instead of the provider's address for the region."
_RESUME = "Resume an interrupted run from the partial file next to --output."
_From = Annotated[int, option("--from TIME", _FROM, parser=_second)]
_To = Annotated[int, option("--to TIME", "End of the period, which is not included.", parser=_second)]
_Endpoint = Annotated[str | None, option("--endpoint URL", _ENDPOINT, callback=_address)]


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """The options for where answers are fetched from, and where they are written."""

    output: options.Output = None
    resume: Annotated[bool, option("--resume", _RESUME)] = False
    endpoint: _Endpoint = None
    quiet: options.Quiet = False

    def check_period(self, start: int, end: int, earliest: int) -> int:
        """Refuse an empty period, report what the provider may not have of it, and return the current time."""
        now = clock.now()
        if end <= start:
            raise invalid("--to", "the end of the period must be after its start")
        if end > now:
            self.say("Note: the period has not ended, so its end is incomplete; fetch it again after it ends.")
        if earliest < now - _KEPT:
            self.say("Note: the provider keeps jobs and metering for 90 days; older ones may be missing.")
        return now

    def say(self, message: str) -> None:
        say(message, quiet=self.quiet)

    def to_file(self, queries: Sequence[Query], region: str, now: int) -> int:
        """Fetch the answers of queries to a file, or to standard output, a pipe or a device, which cannot be resumed."""
        from mps_bill.core.times import utc_text
        from mps_bill.fetch.answers import Answers, answer_file
        from mps_bill.fetch.paging import fetch as fetch_all
        from mps_bill.fetch.provider import Provider

        output = self.output
        flows = output is None or descriptor(output) is not None or is_special(output)
        if self.resume and flows:
            raise invalid("--resume", "it needs a file; give --output FILE")
        described = {"region": region, "fetched_at": utc_text(now)}
        # There are no totals if the reader of a pipe has gone.
        totals: Mapping[str, ActionTotals] | None = None
        with _failures(output):
            provider = Provider(region, self.endpoint, self.say)
            with ExitStack() as stack:
                if output is None or flows:
                    answers = Answers(stack.enter_context(open_output(output)), described)
                else:
                    answers = stack.enter_context(answer_file(output, described, resume=self.resume))
                keep = stack.enter_context(_progress(answers.keep, self.quiet))
                totals = fetch_all(queries, answers.asking(provider), keep)
        if totals is not None:
            _say_totals(totals, self.quiet)
            kept = f", {answers.kept} of them by the earlier run" if answers.kept else ""
            self.say(f"Answers written: {answers.written + answers.kept}{kept}.")
        return exit_codes.DONE


@fetch.command()
@takes(fetching=FetchOptions)
def jobs(
    region: Annotated[str, _region("The region of the jobs. The provider returns the jobs of one region at a time.")],
    start: _From,
    end: _To,
    service: Annotated[Literal["mps", "ims"], option("--service", "MPS, or its successor IMS.")] = "mps",
    lookback: Annotated[int, option("--lookback TIME", _LOOKBACK, parser=_lookback)] = "2d",  # type: ignore[assignment]
    *,
    fetching: FetchOptions,
) -> int:
    """Fetch the jobs that finished in a period.

    The provider lists jobs by creation time, so the file also has jobs that finished before or after the period.
    """
    from mps_bill.fetch import listings

    now = fetching.check_period(start, end, start - lookback)
    return fetching.to_file(listings.jobs(service, start, end, lookback), region, now)


_REGION = "The region whose address is used. The answers are for all regions together."


@fetch.command()
@takes(fetching=FetchOptions)
def metering(
    kind: Annotated[Literal["transcoding", "enhancement", "editing", "ai"], option("--kind", "What was metered.")],
    start: _From,
    end: _To,
    region: Annotated[str, _region(_REGION)] = "cn-shanghai",
    *,
    fetching: FetchOptions,
) -> int:
    """Fetch what the provider has metered, hour by hour."""
    from mps_bill.fetch import listings

    now = fetching.check_period(start, end, start)
    return fetching.to_file(listings.metering(kind, start, end), region, now)


@fetch.command()
@takes(fetching=FetchOptions)
def bills(
    month: Annotated[str, option("--month MONTH", "The statement month, such as 2026-10.", callback=_month)],
    level: Annotated[Literal["bill", "item"], option("--level", "Hourly bills, or their items day by day.")] = "bill",
    region: Annotated[str, _region(_SITE)] = "cn-hangzhou",
    *,
    fetching: FetchOptions,
) -> int:
    """Fetch the provider's bills of a month."""
    from mps_bill.fetch import listings

    now = clock.now()
    if now < listings.BILLING_CLOCK.month_start(month):
        raise invalid("--month", f"{month} has not begun")
    if now < listings.BILLING_CLOCK.month_end(month):
        fetching.say(f"Note: {month} has not ended, so its bills are incomplete; fetch them again after it ends.")
    queries = listings.bills(month) if level == "bill" else listings.bill_items(month, now)
    return fetching.to_file(queries, region, now)


@fetch.command()
def account(
    region: Annotated[str, _region(_SITE)] = "cn-hangzhou",
    output: options.Output = None,
    endpoint: _Endpoint = None,
    quiet: options.Quiet = False,
) -> int:
    """Write a draft of an account file from the provider's data.

    Values that the provider does not return are marked FILL IN. settle refuses the file until they are filled in.
    """
    from mps_bill.fetch import listings
    from mps_bill.fetch.account_draft import FILL_IN, account_draft
    from mps_bill.fetch.paging import fetch as fetch_all
    from mps_bill.fetch.provider import Provider

    if output is not None and os.path.exists(output) and not is_special(output):
        # It may contain months of charges, which cannot be fetched from the provider again.
        raise invalid("--output", f"{printable(output)} exists, and an account is never overwritten; name another file")
    now = clock.now()
    rows: dict[str, list[Any]] = {listing.action: [] for listing in listings.ACCOUNT}

    def keep(page: Page) -> None:
        rows[page.request.listing.action] += page.rows

    with _failures(output):
        provider = Provider(region, endpoint, partial(say, quiet=quiet))
        with _progress(keep, quiet) as keep_and_show:
            totals = fetch_all(listings.account(), provider.ask, keep_and_show)
        text = account_draft(rows, now)
    with open_output(output) as stream:
        stream.write(text)
    _say_totals(totals, quiet)
    missing = sum(line.endswith(f": {FILL_IN}") for line in text.splitlines())
    say(f"{missing} values must be filled in ({FILL_IN}); settle refuses the file until then.", quiet=quiet)
    return exit_codes.DONE


@contextmanager
def _failures(output: str | None) -> Iterator[None]:
    """End the command with a message if something cannot be fetched, or the answers cannot be written."""
    from mps_bill.fetch.answers import PART
    from mps_bill.fetch.paging import FetchFailed

    try:
        yield
    except FetchFailed as failed:
        say(f"mps-bill: {failed}")
        if failed.resumable and output and os.path.exists(part := os.path.realpath(output) + PART):
            say(f"The answers received so far are in {printable(part)}; continue with --resume.")
        raise typer.Exit(exit_codes.REJECTED) from None
    except OSError as error:
        raise cannot_write(output or "standard output", "--output", error) from None


def _say_totals(totals: Mapping[str, ActionTotals], quiet: bool) -> None:
    for action, found in totals.items():
        say(f"Control totals of {action}: {found}.", quiet=quiet)


@contextmanager
def _progress(keep: Callable[[Page], None], quiet: bool) -> Iterator[Callable[[Page], None]]:
    """Yield what keeps a page, and shows on a terminal what is being fetched, and the number of pages and rows received."""
    if quiet or not sys.stderr.isatty():
        yield keep
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TimeElapsedColumn

    columns = ("{task.description}", BarColumn(bar_width=20), "{task.fields[came]}", TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Fetching", total=None, came="")
        pages = rows = 0

        def keep_and_show(page: Page) -> None:
            nonlocal pages, rows
            keep(page)
            pages, rows = pages + 1, rows + len(page.rows)
            came, action = f"{pages} pages, {rows} rows", page.request.listing.action
            # The total is known only if the provider states it.
            bar.update(task, description=action, came=came, total=page.total, completed=rows)

        yield keep_and_show
