"""The command line. A command reads its options, makes one call, shows one view, and returns an exit code.

Results go to standard output, messages to standard error.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import NoReturn

from mps_bill.cli.exit_codes import BUG, REJECTED, WRONG_COMMAND_LINE
from mps_bill.core.diagnostics import printable

INTERRUPTED_MESSAGE = "Interrupted; nothing was charged."


def main() -> NoReturn:
    """Run the program and exit. A user error is reported in one plain message, never as a traceback."""
    # A run keeps millions of lines, totals and amounts, and none of them is part of a reference cycle. The garbage collector
    # would search them repeatedly and find nothing; reference counts free everything.
    gc.disable()
    from mps_bill.cli import signals

    try:
        signals.install()
        from mps_bill.cli import streams

        streams.prepare()
        code = run(sys.argv[1:])
        signals.block()
    except KeyboardInterrupt:
        # The command has not started, so there is nothing to clean up.
        print(INTERRUPTED_MESSAGE, file=sys.stderr)
        sys.exit(signals.exit_code())
    sys.exit(streams.end(code))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    import typer.exceptions

    from mps_bill.cli import completion, signals
    from mps_bill.cli.app import app_for
    from mps_bill.cli.output import say

    known: list[str] | None = arguments
    if completion.ASKED_BY in os.environ:
        completion.join_words(os.environ)
        known = completion.words_before(os.environ)
    try:
        code = int(app_for(known)(args=arguments, prog_name="mps-bill", standalone_mode=False) or 0)
    except typer.exceptions.TyperException as error:
        # The error may have the context of a command, whose help is then the right one.
        context = getattr(error, "ctx", None)
        # The library that checks option values prefixes its messages with "Value error".
        say(f"mps-bill: {error.format_message().replace('Value error, ', '')}")
        say(f"Try '{context.command_path if context else 'mps-bill'} --help'.")
        return WRONG_COMMAND_LINE
    except (KeyboardInterrupt, typer.Abort):
        code = signals.INTERRUPTED
    except Exception as error:
        return _failed(error)
    # The command line library turns an interrupt into this code.
    if code == signals.INTERRUPTED:
        say(INTERRUPTED_MESSAGE)
        return signals.exit_code()
    return code


def _failed(error: Exception) -> int:
    """Report the error that ended a command, and return the exit code."""
    from mps_bill.cli.output import OutputFailed, say, say_problems
    from mps_bill.core.diagnostics import InputRejected

    if isinstance(error, InputRejected):
        if error.heading:
            say(error.heading)
        say_problems(error.report)
        return REJECTED
    reason = str(error) if isinstance(error, OutputFailed) else _environment_error(error)
    if reason:
        say(f"mps-bill: {reason}")
        return REJECTED
    if os.environ.get("MPS_BILL_DEBUG"):
        raise error
    say(f"mps-bill: this is a bug: {type(error).__name__}: {error}")
    say("Set MPS_BILL_DEBUG=1 to see where it happened, and please report it.")
    return BUG


#: Errors caused by a name on the command line: a folder that may not be entered, a name that no file can have.
_OF_A_NAME = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)


def _environment_error(error: Exception) -> str | None:
    """Return what is wrong if the machine or a file name caused the error; None if it is a bug."""
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{where}: {error.strerror}; nothing was charged"
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the working folder no longer exists; change to another folder"
    if error.filename is not None and error.errno in _OF_A_NAME:
        return f"{printable(os.fsdecode(error.filename))} cannot be used: {error.strerror}"
    return None
