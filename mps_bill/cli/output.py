"""Where results go: standard output or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import typer

from mps_bill.core.diagnostics import ProblemReport, printable
from mps_bill.view.reading_report import problem_lines


def check_outputs(outputs: Mapping[str, str | None], inputs: Mapping[str, Iterable[str]]) -> None:
    """Refuses to write over a file that the run reads, or to write two results to one file. Keys are what named the paths."""
    taken = [(named_by, path) for named_by, paths in inputs.items() for path in paths]
    for option, output in outputs.items():
        if output is None:
            continue
        for named_by, path in taken:
            if _same_file(output, path):
                message = f"{printable(output)} is also given as {named_by} {printable(path)}; name another file"
                raise typer.BadParameter(message, param_hint=option)
        taken.append((option, output))


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        # A file that does not exist yet may still be named twice.
        return os.path.realpath(one) == os.path.realpath(other)


@contextmanager
def open_output(path: str | None, *, bom: bool = False, option: str = "--output") -> Iterator[IO[str]]:
    """The stream to write a result to. A file is written beside its place and moved there when it is complete.

    `bom` starts the text with a byte order mark, which Excel needs to see that a CSV is UTF-8. `option` is the one that
    named the file, for messages.
    """
    if path is None:
        try:
            if bom:
                sys.stdout.write("\ufeff")
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has gone (`| head`) and wants no more.
            drop_output()
        except OSError as error:
            drop_output()
            message = f"standard output cannot be written: {error.strerror}"
            raise typer.BadParameter(message, param_hint=option) from None
        return
    encoding = "utf-8-sig" if bom else "utf-8"
    with _replacing(path, option) as temporary, open(temporary, "w", encoding=encoding, newline="") as stream:
        yield stream


def drop_output() -> None:
    """Lets what is still to be written go nowhere. Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_bytes(path: str | None, data: bytes, *, option: str = "--output") -> None:
    """Writes a result that is not text: to a file as `open_output` does, or to standard output."""
    if path is None:
        with open_output(None) as stream:
            stream.buffer.write(data)  # type: ignore[attr-defined]
        return
    with _replacing(path, option) as temporary, open(temporary, "wb") as file:
        file.write(data)


@contextmanager
def _replacing(path: str, option: str) -> Iterator[str]:
    """The name of an empty file beside `path`, moved there when what is done with it is done."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix=".mps-bill-")
        os.close(handle)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = ""
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint=option) from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def say(message: str, *, quiet: bool = False) -> None:
    """Talk for a person, on standard error."""
    if not quiet:
        print(message, file=sys.stderr)


def say_problems(report: ProblemReport) -> None:
    """The problems of the input, on standard error."""
    for line in problem_lines(report):
        say(line)
