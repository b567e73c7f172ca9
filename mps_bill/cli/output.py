"""Where results go: standard output or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import typer

from mps_bill.cli.options import Format
from mps_bill.core.diagnostics import ProblemReport
from mps_bill.report.document import Document
from mps_bill.report.problems import problem_lines


@contextmanager
def open_output(path: str | None, *, bom: bool = False) -> Iterator[IO[str]]:
    """The stream to write a result to. A file is written beside its place and moved there when it is complete.

    `bom` starts the text with a byte order mark, which Excel needs to see that a CSV is UTF-8.
    """
    if path is None:
        try:
            if bom:
                sys.stdout.write("\ufeff")
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has gone (`| head`) and wants no more. Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    folder = os.path.dirname(os.path.abspath(path))
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, prefix=".mps-bill-", encoding="utf-8-sig" if bom else "utf-8", newline="", delete=False
        ) as stream:
            temporary = stream.name
            yield stream.file
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = ""
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--output") from None
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


def write_document(stream: IO[str], document: Document, format_: Format) -> None:
    """Prints a document as a table or as Markdown."""
    if format_ is Format.markdown:
        from mps_bill.report.markdown import markdown

        stream.write(markdown(document))
    else:
        from mps_bill.report.terminal import print_document

        print_document(document, stream)
