"""What each account used, without all accounts in memory."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from os import SEEK_END

from mps_bill.core.diagnostics import InputRejected, Place, Problem
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.groups import Counted, Metered, grouped
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.tidy import tidied
from mps_bill.price_sheet.book import PriceBook

#: The counts of each account with its id, in order of the ids.
AccountCounts = Iterable[tuple[str, tuple[Counted, ...]]]


def account_of(counted: Counted) -> str:
    return counted.key.account


def in_memory(counts: Iterable[Counted]) -> AccountCounts:
    ordered = sorted(counts, key=account_of)
    return tuple((account, tuple(members)) for account, members in groupby(ordered, account_of))


@dataclass(frozen=True, slots=True)
class ByAccount:
    """What each account used, made of its counts when its turn comes."""

    counts: AccountCounts
    book: PriceBook
    scheme: MeteringScheme

    def __iter__(self) -> Iterator[tuple[str, Metered]]:
        for account, counted in self.counts:
            yield account, grouped(counted, self.book, self.scheme)


class CountsFile:
    """The counts of each account in a file without a name, so that it is gone with the process however that ends.

    One account is in memory at a time. It is gone through by one reader at a time. `untidy` are the accounts whose ids have
    what cannot be seen.
    """

    def __init__(self, counts: Iterable[Counted], folder: str | None) -> None:
        """`counts` are ordered by account; `folder` has room for them (None: the system's temporary folder).

        Raises:
            InputRejected: the temporary disk is full.
        """
        self.untidy: list[str] = []
        try:
            # It stays open for as long as this object is in use.
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            for account, members in groupby(counts, account_of):
                pickle.dump((account, tuple(members)), self._file)
                if tidied(account) != account:
                    self.untidy.append(account)
            self._file.flush()
        except OSError as error:
            message = (
                f"the temporary disk takes no more ({error.strerror}); name a folder with more room with --temp-dir"
            )
            place = Place(folder or tempfile.gettempdir())
            raise InputRejected([Problem(place, kinds.NO_DISK, message)]) from error

    def __del__(self) -> None:
        # Without room for a file there is none to close.
        with suppress(AttributeError):
            self._file.close()

    def __iter__(self) -> Iterator[tuple[str, tuple[Counted, ...]]]:
        end = self._file.seek(0, SEEK_END)
        self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)
