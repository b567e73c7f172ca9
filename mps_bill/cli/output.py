"""Where results go: standard output or a file that appears whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any, BinaryIO

import typer

from mps_bill.core.diagnostics import ProblemReport, printable
from mps_bill.core.files import descriptor, is_special, open_there, staged, sweep


def invalid(option: str, message: str) -> typer.BadParameter:
    """The error of a command line on which an option, or an argument, cannot be as it is."""
    return typer.BadParameter(message, param_hint=option)


def check_outputs(outputs: Mapping[str, str | None], inputs: Mapping[str, Iterable[str]]) -> None:
    """Refuses to write over a file that the run reads, or to write two results to one file. Keys are what named the paths."""
    taken = [(named_by, path) for named_by, paths in inputs.items() for path in paths]
    for option, output in outputs.items():
        if output is None:
            continue
        for named_by, path in taken:
            if _same_file(output, path):
                raise invalid(
                    option, f"{printable(output)} is also given as {named_by} {printable(path)}; name another file"
                )
        taken.append((option, output))


def _same_file(one: str, other: str) -> bool:
    """Whether both names mean one file, through links also. Nothing is lost in a device (a terminal, /dev/null)."""
    try:
        return os.path.samefile(one, other) and not stat.S_ISCHR(os.stat(one).st_mode)
    except OSError:
        # A file that does not exist yet may still be named twice.
        return os.path.realpath(one) == os.path.realpath(other)


class OutputFailed(Exception):
    """A result that cannot be written: a full disk or a read-only folder is neither a wrong command line nor a bug."""


@contextmanager
def open_output(
    path: str | None, *, bom: bool = False, option: str = "--output", there: bool = False
) -> Iterator[IO[str]]:
    """The stream to write a result to. A file is written beside its place and moved there when it is complete, or with `there`
    in its place, so that after a crash it still has what was written before; a device, a pipe or an open file of the process
    is written to.

    `bom` starts the text with a byte order mark, which Excel needs to see that a CSV is UTF-8. `option` is the one that
    named the file, for messages.
    """
    if path is None:
        with _standard_output(option):
            if bom:
                sys.stdout.write("\ufeff")
            yield sys.stdout
    else:
        with (_there if there else _bytes_to)(path, option) as raw, _text(raw, bom) as stream:
            yield stream


def write_bytes(path: str | None, data: bytes, *, option: str = "--output") -> None:
    """Writes a result that is not text: to a file as `open_output` does, or to standard output."""
    if path is None:
        with _standard_output(option):
            sys.stdout.buffer.write(data)
    else:
        with _bytes_to(path, option) as stream:
            stream.write(data)


def sync(stream: IO[str]) -> None:
    """Takes what was written so far down to the disk, where it goes to one.

    Raises:
        OutputFailed: it does not get there.
    """
    try:
        stream.flush()
        handle = stream.fileno()
    except (io.UnsupportedOperation, BrokenPipeError):
        return
    _sync(handle, "the result")


def _sync(handle: int, path: str) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_DISK:
            raise OutputFailed(f"{printable(path)} cannot be written: {error.strerror}") from None


#: What a pipe, a terminal or another device answers, which has no disk behind it.
_NO_DISK = (errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.ENOTTY)
#: What is wrong with the name that was given; anything else is wrong with the place.
_OF_A_NAME = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
#: What keeps a file from being made beside one that can itself be written to.
_NOT_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def _standard_output(option: str) -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`) and wants no more.
        drop_output()
    except OSError as error:
        drop_output()
        raise cannot_write("standard output", option, error) from None


def drop_output() -> None:
    """Lets what is still to be written go nowhere. Python would complain once more when it flushes at exit."""
    drop(sys.stdout)


@contextmanager
def pipe_may_break() -> Iterator[None]:
    """Goes on without printing when the reader has gone (`| head`): what all accounts come to decides the exit code."""
    try:
        yield
    except BrokenPipeError:
        drop_output()


def drop(stream: IO[str]) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def cannot_write(path: str, option: str, error: OSError, more: str = "") -> Exception:
    """The error of a file that cannot be written: the name is wrong, or its place takes no file."""
    reason = error.strerror or str(error)
    if error.errno == errno.EBUSY:
        reason += " (it is a mount of its own and cannot be replaced; mount its folder, or name another file)"
    message = f"{printable(path)} cannot be written: {reason}{more}"
    return invalid(option, message) if error.errno in _OF_A_NAME else OutputFailed(message)


class _Sink(io.FileIO):
    """A file that reports itself what keeps it from being written, so that no error of another file is taken for its own."""

    def __init__(self, handle: int, path: str, closes: bool, empties: bool = False) -> None:
        super().__init__(handle, "wb", closefd=closes)
        self._path, self._empties, self.gone = path, empties, False

    def begin(self) -> None:
        """Empties the file, before the first of the result is written and no sooner."""
        if self._empties:
            self._empties = False
            os.ftruncate(self.fileno(), 0)

    def write(self, data: Any) -> int:
        if not self.gone:
            try:
                self.begin()
                return super().write(data) or 0
            except BrokenPipeError:
                # The reader of a pipe has gone and wants no more.
                self.gone = True
            except OSError as error:
                raise OutputFailed(f"{printable(self._path)} cannot be written: {error.strerror}") from None
        return len(memoryview(data).cast("B"))


@contextmanager
def _bytes_to(path: str, option: str) -> Iterator[BinaryIO]:
    """The stream that a result is written to; a file takes its place at the end of the context."""
    if descriptor(path) is not None or is_special(path):
        with _there(path, option) as stream:
            yield stream
        return
    with ExitStack() as stack:
        try:
            sweep(os.path.dirname(os.path.realpath(path)))
            stage = stack.enter_context(staged(path))
        except OSError as error:
            if error.errno not in _NOT_BESIDE or not os.access(path, os.W_OK):
                raise cannot_write(path, option, error) from None
            stage = None
        if stage is None:
            # Where the folder takes no file, or a new one would have another owner, the file itself is written to.
            with tempfile.TemporaryFile() as whole:
                yield whole
                whole.seek(0)
                with _there(path, option) as stream:
                    shutil.copyfileobj(whole, stream)
            return
        with _buffered(_Sink(stage.stream.fileno(), path, closes=False)) as stream:
            yield stream
        try:
            stage.finish()
            stage.commit()
        except OSError as error:
            raise cannot_write(path, option, error) from None


@contextmanager
def _there(path: str, option: str) -> Iterator[BinaryIO]:
    new = not os.path.lexists(path)
    try:
        empties = descriptor(path) is None and not is_special(path)
        sink = _Sink(open_there(path, empties=False), path, closes=True, empties=empties)
    except OSError as error:
        raise cannot_write(path, option, error) from None
    with sink:
        try:
            with _buffered(sink) as stream:
                yield stream
        except BaseException:
            if new and empties and not os.fstat(sink.fileno()).st_size:
                os.unlink(path)
            raise
        sink.begin()
        _sync(sink.fileno(), path)


@contextmanager
def _buffered(sink: _Sink) -> Iterator[BinaryIO]:
    stream = io.BufferedWriter(sink, 1 << 16)
    try:
        yield stream
        stream.flush()
    except BaseException:
        # What is left in the buffer goes nowhere: by the time that it is dropped the descriptor may be another file's.
        sink.gone = True
        raise


@contextmanager
def _text(raw: BinaryIO, bom: bool) -> Iterator[IO[str]]:
    """UTF-8 text that goes to `raw`, which stays open."""
    encoding = "utf-8-sig" if bom else "utf-8"
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="")
    yield stream
    stream.detach()


def say(message: str, *, quiet: bool = False) -> None:
    """A message for a person, on standard error."""
    if not quiet:
        # Where even that cannot be written, there is still the exit code.
        with suppress(OSError):
            print(message, file=sys.stderr)


def say_problems(report: ProblemReport) -> None:
    from mps_bill.view.reading_report import problem_lines

    for line in problem_lines(report):
        say(line)
