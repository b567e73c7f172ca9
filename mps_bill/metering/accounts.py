"""The usage of each account, without having all accounts in memory."""

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

#: Each account's id with its counts, sorted by id.
AccountCounts = Iterable[tuple[str, tuple[Counted, ...]]]


def account_of(counted: Counted) -> str:
    return counted.key.account


def in_memory(counts: Iterable[Counted]) -> AccountCounts:
    ordered = sorted(counts, key=account_of)
    return tuple((account, tuple(members)) for account, members in groupby(ordered, account_of))


@dataclass(frozen=True, slots=True)
class ByAccount:
    """The usage of each account, computed from its counts when it is needed."""

    counts: AccountCounts
    book: PriceBook
    scheme: MeteringScheme

    def __iter__(self) -> Iterator[tuple[str, Metered]]:
        for account, counted in self.counts:
            yield account, grouped(counted, self.book, self.scheme)


class CountsFile:
    """The counts of each account, in a file without a name, which disappears with the process however that ends.

    Only one account is in memory at a time, and only one reader may iterate at a time. `untidy` are the accounts whose ids have
    invisible characters or unusual spaces.
    """

    def __init__(self, counts: Iterable[Counted], folder: str | None) -> None:
        """`counts` are sorted by account; `folder` is where they are stored (None: the system's temporary folder).

        Raises:
            InputRejected: the temporary disk is full.
        """
        self.untidy: list[str] = []
        try:
            # The file stays open for as long as this object is in use.
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            for account, members in groupby(counts, account_of):
                pickle.dump((account, tuple(members)), self._file)
                if tidied(account) != account:
                    self.untidy.append(account)
            self._file.flush()
        except OSError as error:
            message = f"the temporary disk is full ({error.strerror}); choose a folder with more space with --temp-dir"
            place = Place(folder or tempfile.gettempdir())
            raise InputRejected([Problem(place, kinds.NO_DISK, message)]) from error

    def __del__(self) -> None:
        # If the file could not be created, there is none to close.
        with suppress(AttributeError):
            self._file.close()

    def __iter__(self) -> Iterator[tuple[str, tuple[Counted, ...]]]:
        end = self._file.seek(0, SEEK_END)
        self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)
