"""Signals that end a run. The run ends as with Ctrl-C and leaves nothing behind; while an account is saved, signals wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

#: The exit code after Ctrl-C.
INTERRUPTED = 128 + signal.SIGINT


class _State:
    """The state of the process. `received` is the signal that ends the run; `held`: signals wait."""

    received: int | None = None
    held = False


def install() -> None:
    """Let every such signal end the run, except those that the parent process has set to be ignored (nohup)."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    # A second signal must not interrupt the cleanup after the first.
    if _State.received is None:
        _State.received = number
        if not _State.held:
            raise KeyboardInterrupt


def exit_code() -> int:
    """Return the exit code of a run that a signal has ended."""
    return 128 + _State.received if _State.received else INTERRUPTED


def hold() -> None:
    """Let the run complete from here on, so that what it has done is also reported."""
    _State.held = True


def block() -> None:
    """Block signals, because the run is over and has reported what it did."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


@contextmanager
def held() -> Iterator[None]:
    """Complete a step. A signal that arrives during the step ends the run after it."""
    _State.held = True
    try:
        yield
    finally:
        _State.held = False
    if _State.received is not None:
        raise KeyboardInterrupt
