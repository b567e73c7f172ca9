"""Saving an account around the printing of its result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mps_bill.pipeline import SettleRun
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.settlement.save import AccountFile


@contextmanager
def saving(target: str | None, file: AccountFile, run: SettleRun, book: PriceBook) -> Iterator[bool]:
    """Writes the account beside its place before the result is printed, and puts it in its place after that.

    So a disk that is full or a folder that cannot be written to stops the run before it prints anything, and a result that
    cannot be printed leaves the account as it was. Yields whether the file keeps its layout and comments.
    """
    if target is None:
        yield True
        return
    from mps_bill.settlement.save import account_text, staged

    text, kept = account_text(file, run.settled.closing, book)
    with ExitStack() as stack:
        with _told(target):
            stage = stack.enter_context(staged(Path(target), text, file.mode))
        yield kept
        with _told(target):
            stage.commit()


@contextmanager
def _told(target: str) -> Iterator[None]:
    """Tells what keeps the account from being written."""
    try:
        yield
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}; the account is as it was, nothing is charged"
        raise typer.BadParameter(message, param_hint="--save") from None
