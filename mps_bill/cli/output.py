"""Where results go: to standard output, or to a file that is written completely or not at all."""

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
    """Return the error for an option or an argument with an invalid value."""
    return typer.BadParameter(message, param_hint=option)


def check_outputs(outputs: Mapping[str, str | None], inputs: Mapping[str, Iterable[str]]) -> None:
    """Refuse to overwrite a file that the run reads, or to write two results to one file. The keys are the options or arguments
    that name the files."""
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
    """Whether both names mean the same file, also through links. Devices (a terminal, /dev/null) may be named twice."""
    try:
        return os.path.samefile(one, other) and not stat.S_ISCHR(os.stat(one).st_mode)
    except OSError:
        # A file that does not exist yet may still be named twice.
        return os.path.realpath(one) == os.path.realpath(other)


class OutputFailed(Exception):
    """A result cannot be written. A full disk or a read-only folder is neither a wrong command line nor a bug."""


@contextmanager
def open_output(
    path: str | None, *, bom: bool = False, option: str = "--output", there: bool = False
) -> Iterator[IO[str]]:
    """Open the stream to write a result to.

    A file is written next to its place and moved there when it is complete. With `there` it is written in place, so that
    after a crash it has everything written so far. Devices, pipes and open files of the process are written to directly.

    `bom` starts the text with a byte order mark, by which Excel recognises a CSV as UTF-8. `option` is the option that
    names the file, for messages.
    """
    if path is None:
        with _standard_output(option):
            if bom:
                sys.stdout.write("\ufeff")
            yield sys.stdout
    else:
        with (_there if there else _bytes_to)(path, option) as raw, _text(raw, bom) as stream:
            yield stream


def write_bytes(path: str | None, data: bytes) -> None:
    """Write a binary result to a file, as `open_output` does, or to standard output."""
    if path is None:
        with _standard_output("--output"):
            sys.stdout.buffer.write(data)
    else:
        with _bytes_to(path, "--output") as stream:
            stream.write(data)


def sync(stream: IO[str]) -> None:
    """Flush everything written so far to the disk, if the stream is on a disk. Raise `OutputFailed` if that fails."""
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


#: The errors of pipes, terminals and other devices when they are flushed to a disk that they do not have.
_NO_DISK = (errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.ENOTTY)
#: The errors of a wrong name. All other errors are about the place.
_OF_A_NAME = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
#: The errors of a folder in which no file can be created, though existing files may be writable.
_NOT_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def _standard_output(option: str) -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`) and needs no more.
        drop(sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        raise cannot_write("standard output", option, error) from None


@contextmanager
def pipe_may_break() -> Iterator[None]:
    """Continue without printing if the reader has gone (`| head`), because the exit code depends on all accounts."""
    try:
        yield
    except BrokenPipeError:
        drop(sys.stdout)


def drop(stream: IO[str]) -> None:
    """Discard all further output. Otherwise Python would report the error again when it flushes the stream at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def cannot_write(path: str, option: str, error: OSError, more: str = "") -> Exception:
    """Return the error for a file that cannot be written: its name is wrong, or no file can be created in its place."""
    reason = error.strerror or str(error)
    if error.errno == errno.EBUSY:
        reason += " (it is a mount point and cannot be replaced; mount its folder, or name another file)"
    message = f"{printable(path)} cannot be written: {reason}{more}"
    return invalid(option, message) if error.errno in _OF_A_NAME else OutputFailed(message)


class _Sink(io.FileIO):
    """A file that reports its own write errors, so that errors of other files are not mistaken for them."""

    def __init__(self, handle: int, path: str, closes: bool, empties: bool = False) -> None:
        super().__init__(handle, "wb", closefd=closes)
        self._path, self._empties, self.gone = path, empties, False

    def begin(self) -> None:
        """Empty the file, just before the result is written."""
        if self._empties:
            self._empties = False
            os.ftruncate(self.fileno(), 0)

    def write(self, data: Any) -> int:
        if not self.gone:
            try:
                self.begin()
                return super().write(data) or 0
            except BrokenPipeError:
                # The reader of a pipe has gone and needs no more.
                self.gone = True
            except OSError as error:
                raise OutputFailed(f"{printable(self._path)} cannot be written: {error.strerror}") from None
        return len(memoryview(data).cast("B"))


@contextmanager
def _bytes_to(path: str, option: str) -> Iterator[BinaryIO]:
    """Open the stream that a result is written to. A file is moved to its place at the end of the context."""
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
            # No file can be created in the folder, or a new one would have another owner: write to the file itself.
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
        # Discard what is left in the buffer: when it is freed, the descriptor may belong to another file.
        sink.gone = True
        raise


@contextmanager
def _text(raw: BinaryIO, bom: bool) -> Iterator[IO[str]]:
    """Write UTF-8 text to `raw`, which stays open."""
    encoding = "utf-8-sig" if bom else "utf-8"
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="")
    yield stream
    stream.detach()


def say(message: str, *, quiet: bool = False) -> None:
    """Print a message on standard error."""
    if not quiet:
        # If even that fails, the exit code still reports the problem.
        with suppress(OSError):
            print(message, file=sys.stderr)


def say_problems(report: ProblemReport) -> None:
    from mps_bill.view.reading_report import problem_lines

    for line in problem_lines(report):
        say(line)
