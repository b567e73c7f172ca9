"""What `bill` and `settle` share of many accounts: what joins their views, and what cannot be printed of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from mps_bill.cli.output import drop_output, invalid
from mps_bill.cli.showing import Showing
from mps_bill.core.diagnostics import one_of
from mps_bill.render.formats import JOINED, formats_of

if TYPE_CHECKING:
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.render.joined import Joined


def check_joined(showing: Showing) -> None:
    """Refuses the formats that are about one account."""
    if showing.format.part not in JOINED:
        raise invalid(
            "--format",
            f"{showing.format.name} is a report on one account, and the usage is of several;"
            f" use {one_of([format_.name for format_ in formats_of(JOINED)])}, or give the usage of one account",
        )


def joined(showing: Showing, book: PriceBook, stream: IO[str], *, settled: bool) -> Joined:
    """What writes the views of accounts to the stream."""
    from mps_bill.render.joined import Joined
    from mps_bill.view.accounts_view import AccountsView

    return Joined(AccountsView(book.currency, settled=settled), showing.format, stream)


@contextmanager
def pipe_may_break() -> Iterator[None]:
    """Goes on without printing when the reader has gone (`| head`): what all accounts come to decides the exit code."""
    try:
        yield
    except BrokenPipeError:
        drop_output()
