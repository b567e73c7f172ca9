"""Saving an account, the last step of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mps_bill.cli.options import written_to
from mps_bill.cli.output import OutputFailed, cannot_write, invalid

if TYPE_CHECKING:
    from mps_bill.core.files import Staged
    from mps_bill.pipeline import SettleRun
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.settlement.save import AccountFile, Target

_UNCHARGED = "; the account is unchanged, and nothing was charged"


@contextmanager
def target_of(name: str | None, file: AccountFile, book: PriceBook, *, in_place: bool) -> Iterator[Target | None]:
    """Check and lock the file that the account is saved to, until the context ends; None if it is not saved. Raise
    `typer.BadParameter` if the account must not be saved there."""
    if name is None:
        yield None
        return
    if written_to(name) is None:
        # The result goes to standard output, and a printed account would not be kept.
        raise invalid("--save", "an account is saved to a file; name one")
    from mps_bill.settlement.save import NotSaved, open_target

    with ExitStack() as stack:
        try:
            target = stack.enter_context(open_target(name, file, book, in_place=in_place))
        except NotSaved as reason:
            raise invalid("--save", f"{name}: {reason}") from None
        yield target


@dataclass(frozen=True, slots=True)
class Saving:
    """An account written next to the file that it will replace. `kept`: the file keeps its layout and comments."""

    file: AccountFile
    target: Target | None
    text: str
    kept: bool
    stage: Staged | None

    def notes(self) -> Iterator[str]:
        """Report what else has changed about the file."""
        if not self.kept:
            yield "The file could not be edited in its layout. It was rewritten without comments."
        if self.stage and not self.stage.owner_kept:
            yield "The file now belongs to the user of this run, who may not give files to the former owner."

    def commit(self) -> None:
        """Move the account to its place, unless that or the file that was read has changed. This is the last step of a run.

        Raises:
            OutputFailed, typer.BadParameter: it was not saved, and nothing was charged.
        """
        if self.target is None:
            return
        from mps_bill.core.files import open_there

        path = self.target.path
        try:
            if self.file.changed():
                raise _changed(self.file.name)
            if self.stage is None:
                with os.fdopen(open_there(path), "wb") as stream:
                    stream.write(self.text.encode("utf-8"))
                return
            if self.target.changed():
                raise _changed(path)
            self.stage.commit()
        except FileExistsError:
            raise _changed(path) from None
        except OSError as error:
            raise cannot_write(path, "--save", error, _UNCHARGED) from None


def _changed(name: str) -> OutputFailed:
    return OutputFailed(f"{name} was changed during this run{_UNCHARGED}; run again")


@contextmanager
def saving(target: Target | None, file: AccountFile, run: SettleRun, book: PriceBook) -> Iterator[Saving]:
    """Write the account next to its place before the result is printed. `commit` moves it there afterwards.

    So a full disk or a read-only folder stops the run before anything is printed, and a result that cannot be printed
    leaves the account unchanged.
    """
    if target is None:
        yield Saving(file, None, "", True, None)
        return
    from mps_bill.settlement.save import account_text, staged_account

    text, kept = account_text(file, run.settled.closing, book)
    with ExitStack() as stack:
        try:
            stage = stack.enter_context(staged_account(target, text, file.mode))
        except OSError as error:
            raise cannot_write(target.path, "--save", error, _UNCHARGED) from None
        yield Saving(file, target, text, kept, stage)
