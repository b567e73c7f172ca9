"""Saving an account as the last step of a run."""

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

_UNCHARGED = "; the account is unchanged, nothing is charged"


@contextmanager
def target_of(name: str | None, file: AccountFile, book: PriceBook, *, in_place: bool) -> Iterator[Target | None]:
    """The place that the account is saved to, checked and locked for as long as the context lasts; None without one.

    Raises:
        typer.BadParameter: the account must not be saved there.
    """
    if name is None:
        yield None
        return
    if written_to(name) is None:
        # The result goes there, and an account that was only printed is not kept.
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
    """An account that is written beside its place. `kept` says whether the file keeps its layout and comments."""

    file: AccountFile
    target: Target | None
    text: str
    kept: bool
    stage: Staged | None

    def notes(self) -> Iterator[str]:
        """What else than the account has changed about its file."""
        if not self.kept:
            yield "Its layout could not be edited, so the file was written afresh, without comments."
        if self.stage and not self.stage.owner_kept:
            yield "Its owner is now the user of this run, who may not give files to the owner before."

    def commit(self) -> None:
        """Puts the account in its place, where neither that nor the file that was read has changed since. The last step of a run.

        Raises:
            OutputFailed, typer.BadParameter: it is not there, and nothing is charged.
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
    return OutputFailed(f"{name} was changed while this run went on{_UNCHARGED}; run again")


@contextmanager
def saving(target: Target | None, file: AccountFile, run: SettleRun, book: PriceBook) -> Iterator[Saving]:
    """Writes the account beside its place before the result is printed; `commit` puts it in its place after that.

    So a disk that is full or a folder that cannot be written to stops the run before it prints anything, and a result that
    cannot be printed leaves the account as it was.
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
