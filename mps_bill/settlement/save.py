"""The account file on disk: opened under a lock, and replaced completely or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, accepted, counted, printable, quoted
from mps_bill.core.files import MAX_BYTES, Staged, check_readable, is_special, read_file, read_whole, staged
from mps_bill.core.laws import law
from mps_bill.core.times import iso
from mps_bill.documents.yaml_tree import decode
from mps_bill.price_sheet.book import PriceBook
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.account import Account
from mps_bill.settlement.account_reader import read_account
from mps_bill.settlement.account_writer import CannotEdit, afresh, edited
from mps_bill.settlement.charged import charged_beyond
from mps_bill.settlement.entries import ID_PATTERN
from mps_bill.settlement.sources import QUANTITY_SOURCES


@dataclass(frozen=True, slots=True)
class AccountFile:
    """An account with the file that it was read from. `name` is its name in messages."""

    name: str
    path: Path
    mode: int
    text: str
    account: Account

    def changed(self) -> bool:
        """Whether the file has been edited or removed since, by a program that ignores the lock. Input from a pipe cannot be
        compared."""
        return not is_special(self.path) and _differs(self.path, self.text.encode("utf-8"))


def _differs(path: Path, before: bytes | None) -> bool:
    """Whether the file has other content than `before`; None: it did not exist."""
    try:
        return before != path.read_bytes()
    except FileNotFoundError:
        return before is not None


@contextmanager
def open_account(name: str, book: PriceBook, *, lock: bool) -> Iterator[AccountFile]:
    """Open the account in the file `name`. With `lock` no other run that locks can read it until the context ends, so two runs
    cannot charge it at the same time.

    The lock is on the file itself. Because saving replaces the file, after locking it is checked that the locked file is still
    the one with that name.

    Raises:
        InputRejected: the file cannot be read, is locked by another run, or has problems.
    """
    path = Path(name)
    with _opened(name, path, lock) as stream:
        try:
            data = read_whole(stream, MAX_BYTES)
        except OSError as error:
            raise _unreadable(name, error) from None
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        shown = printable(name)
        text, problems = decode(data, shown)
        text = accepted(text, problems)
        yield AccountFile(shown, path, mode, text, accepted(*read_account(text, shown, book)))


@contextmanager
def _opened(name: str, path: Path, lock: bool) -> Iterator[BinaryIO]:
    while True:
        try:
            check_readable(path)
            # No other run can open an account that comes from a pipe.
            locked = lock and not is_special(path)
            # Some network file systems lock only files that are open for writing.
            stream = path.open("r+b" if locked and os.access(path, os.W_OK) else "rb")
        except OSError as error:
            raise _unreadable(name, error) from None
        with stream:
            if locked:
                _lock(name, stream)
                if not _is_still(path, stream):
                    continue
            yield stream
            return


def _lock(name: str, stream: BinaryIO) -> None:
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = "another run is settling with this account; nothing was charged, run again when it is done"
        raise _rejected(name, kinds.LOCKED, message) from None
    except OSError as error:
        raise _rejected(name, kinds.LOCKED, f"it cannot be locked: {error.strerror or error}") from None


def _is_still(path: Path, stream: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


def _unreadable(name: str, error: OSError) -> InputRejected:
    return _rejected(name, kinds.UNREADABLE_FILE, f"it cannot be read: {error.strerror or error}")


def _rejected(name: str, kind: Kind, message: str) -> InputRejected:
    return InputRejected([Problem(Place(printable(name)), kind, message)])


def account_path(folder: str, account_id: str) -> str:
    """The file of an account in a folder of accounts."""
    return os.path.join(folder, f"{account_id}.yaml")


@contextmanager
def open_account_in(
    folder: str, account_id: str, book: PriceBook, *, lock: bool, cuts: Sequence[int] | None = None
) -> Iterator[AccountFile]:
    """Open an account in a folder with one file per account, like `open_account`. `cuts` are the `Account.cuts` of all accounts
    when the usage was read (None: not checked).

    Raises:
        InputRejected: also if there is no such file, it contains another account, or the account now has other cuts.
    """
    if not re.fullmatch(ID_PATTERN, account_id):
        message = (
            f"account_id {quoted(account_id)} is not a valid account id, which has letters, digits, points, - or _ only"
        )
        raise _rejected(folder, kinds.NO_ACCOUNT, message)
    name = account_path(folder, account_id)
    if not os.path.isfile(name):
        message = f"no such file; the usage has rows of the account {quoted(account_id)}"
        raise _rejected(name, kinds.NO_ACCOUNT, message)
    with open_account(name, book, lock=lock) as file:
        if file.account.id != account_id:
            message = f"it holds the account {quoted(file.account.id)}; by its name it should hold {quoted(account_id)}"
            raise _rejected(name, kinds.OTHER_ACCOUNT, message)
        if cuts is not None and not set(file.account.cuts(book)) <= set(cuts):
            message = "it was changed while this run went on, and has another plan now; run again"
            raise _rejected(name, kinds.EDITED, message)
        yield file


def cuts_in(folder: str, book: PriceBook) -> tuple[int, ...]:
    """The `Account.cuts` of all accounts in a folder. Problems of an account are reported when it is used."""
    cuts: set[int] = set()
    for path in sorted(Path(folder).glob("*.yaml")):
        with suppress(InputRejected, OSError):
            text = path.read_bytes()
            if any(key in text for key in _QUANTITY_KEYS):
                with open_account(str(path), book, lock=False) as file:
                    cuts.update(file.account.cuts(book))
    return tuple(sorted(cuts))


#: An account file without any of these has no source of quantity.
_QUANTITY_KEYS = [key.key.encode() for source in QUANTITY_SOURCES for key in source.keys]


def check_accounts(
    ids: Iterable[str],
    folder: str,
    target: str | None,
    book: PriceBook,
    *,
    in_place: bool,
    cuts: Sequence[int] | None = None,
) -> Iterator[Problem]:
    """Yield, before anything is charged, what prevents accounts from being charged or saved to the folder `target`."""
    for account_id in ids:
        try:
            with open_account_in(folder, account_id, book, lock=False, cuts=cuts) as file:
                if target is None:
                    continue
                path = account_path(target, account_id)
                if reason := check_target(Path(path), file, book, in_place=in_place):
                    yield Problem(Place(printable(path)), kinds.NOT_SAVED, reason)
        except InputRejected as rejected:
            yield from rejected.report.shown


def account_text(file: AccountFile, after: Account, book: PriceBook) -> tuple[str, bool]:
    """The text of the account after the run, and whether it keeps the layout and comments of the file.

    The text is read back, so that the next run reads what was saved.
    """
    offset = book.offset
    with suppress(CannotEdit):
        text = edited(file.text, file.account, after, offset)
        if read_account(text, file.name, book)[0] == after:
            return text, True
    text = afresh(after, offset)
    account, problems = read_account(text, file.name, book)
    law(account == after, "the account cannot be written so that it reads the same: {}", problems)
    return text, False


@dataclass(frozen=True, slots=True)
class Target:
    """The place where an account is saved, held until the run ends. `before` is its former content; None: none."""

    path: str
    before: bytes | None

    @property
    def is_special(self) -> bool:
        return is_special(self.path)

    def changed(self) -> bool:
        """Whether its content has changed since: a program ignored the lock."""
        return _differs(Path(self.path), self.before)


class NotSaved(Exception):
    """The reason why an account must not be saved to a place."""


@contextmanager
def open_target(target: str, file: AccountFile, book: PriceBook, *, in_place: bool) -> Iterator[Target]:
    """Hold the place to save an account to, so that no other run that locks can charge or replace it until the context ends.

    A file of another account is never overwritten, nor is a later state of the account, whose charges would be lost.

    Raises:
        NotSaved: another place must be given; the message has the reason.
        InputRejected: another run has locked the existing file, it cannot be read, or it has several names.
    """
    path, before = Path(target), None
    with ExitStack() as stack:
        if is_special(target):
            if in_place:
                raise NotSaved("it is not a file, and cannot be overwritten; name one with --save")
        elif path.exists():
            # The account that was read is already locked.
            stream = None if _is_same(path, file.path) else stack.enter_context(_opened(target, path, lock=True))
            if reason := check_target(path, file, book, in_place=in_place):
                raise NotSaved(reason)
            before = stream.read() if stream else file.text.encode("utf-8")
        yield Target(target, before)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def check_target(target: Path, file: AccountFile, book: PriceBook, *, in_place: bool) -> str | None:
    """The reason why the account must not be saved to `target`, so that another place must be given; or None.

    Three kinds of file are never overwritten: a file of another account; a later state of the account, whose charges would be
    lost; and a file with several hard links, because the other names would keep the former state.

    Raises:
        InputRejected: the problem is the existing file itself, not the choice of it.
    """
    same = _is_same(target, file.path)
    if same and not in_place:
        return "it is the account that was read; use --in-place to overwrite it"
    try:
        names = target.stat().st_nlink
        data = b"" if same else read_file(target)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(str(target), error) from None
    if names > 1:
        message = (
            f"the file has {names} names (hard links); the other name{'s' if names > 2 else ''} would keep the old account, and"
            " a later run could charge the same usage again; copy the file"
        )
        raise _rejected(str(target), kinds.NOT_SAVED, message)
    if same:
        return None
    text, _ = decode(data, "")
    there = read_account(text, "", book)[0] if text is not None else None
    if there is None or there.id != file.account.id:
        return f"it is not a valid file of the account {file.account.id}, and is not overwritten"
    if charges := _charges_beyond(there, file.account, book.offset):
        return (
            f"it holds {charges} that {file.name} does not, and they would be lost;"
            f" settle from it (--account {printable(str(target))}) or name another file"
        )
    return None


def _charges_beyond(there: Account, account: Account, offset: int) -> str:
    """In words, what the state `there` of an account has charged and `account` has not; empty if nothing."""
    if days := charged_beyond(there, account):
        count = counted(len(days), "charged cycle")
        first, last = min(days), max(days)
        return f"{count} of {first}" + (f" to {last}" if last > first else "")
    later = [
        through
        for product, through in there.settled_through.items()
        if (settled := account.settled(product)) is None or settled < through
    ]
    return f"cycles settled through {iso(max(later), offset)}" if later else ""


@contextmanager
def staged_account(target: Target, text: str, mode: int) -> Iterator[Staged | None]:
    """Write the account's text next to its place and flush it to disk, with the mode and owner of the existing file, or else with
    `mode`. Yield None for a pipe or device, which has no place next to it.

    Raises:
        OSError: the text cannot be written or moved to its place, which is then unchanged.
    """
    if target.is_special:
        yield None
        return
    with staged(target.path, mode, keep_owner=False, new=target.before is None) as stage:
        stage.stream.write(text.encode("utf-8"))
        stage.finish()
        yield stage
