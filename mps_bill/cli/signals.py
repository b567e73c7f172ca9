"""Signals that end a run: it ends as with Ctrl-C, and leaves nothing behind. While an account is put in place they wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

#: Ended by Ctrl-C.
INTERRUPTED = 128 + signal.SIGINT


class _State:
    """Of the process. `received` is the signal that ends the run."""

    received: int | None = None
    held = False


def install() -> None:
    """Lets every such signal end the run, but for those that whoever started it wants ignored (nohup)."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    # A second one must not break off the tidying up after the first.
    if _State.received is None:
        _State.received = number
        if not _State.held:
            raise KeyboardInterrupt


def exit_code() -> int:
    """What the shell knows a run by that a signal ended."""
    return 128 + _State.received if _State.received else INTERRUPTED


def hold() -> None:
    """From here on the run goes to its end: what it has done is then also reported."""
    _State.held = True


def block() -> None:
    """The run is over and has reported what it did; a signal that comes now no longer ends it with a code of its own."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


@contextmanager
def held() -> Iterator[None]:
    """A step that is done whole: a signal that arrives in it ends the run after it."""
    _State.held = True
    try:
        yield
    finally:
        _State.held = False
    if _State.received is not None:
        raise KeyboardInterrupt
