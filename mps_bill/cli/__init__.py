"""The command line: options, one call, one renderer, an exit code. Results go to standard output, messages to standard error."""

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
    """Runs the program and exits; an error for a person is one plain message, never a traceback."""
    # Millions of lines, totals and amounts are made and kept, and none of them refers back to what holds it: the collector
    # of cycles would walk them again and again and find nothing. Reference counts alone free what is dropped.
    gc.disable()
    from mps_bill.cli import signals

    try:
        signals.install()
        from mps_bill.cli import streams

        streams.prepare()
        code = run(sys.argv[1:])
        signals.block()
    except KeyboardInterrupt:
        # Before the command was found: there is nothing to tidy up.
        print(INTERRUPTED_MESSAGE, file=sys.stderr)
        sys.exit(signals.exit_code())
    sys.exit(streams.end(code))


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code."""
    import typer.exceptions

    from mps_bill.cli import completion, signals
    from mps_bill.cli.app import app_for
    from mps_bill.cli.output import OutputFailed, say, say_problems
    from mps_bill.core.diagnostics import InputRejected

    known: list[str] | None = arguments
    if completion.ASKED_BY in os.environ:
        completion.join_words(os.environ)
        known = completion.words_before(os.environ)
    try:
        code = int(app_for(known)(args=arguments, prog_name="mps-bill", standalone_mode=False) or 0)
    except typer.exceptions.TyperException as error:
        # The command's context, where the error has one, names the command whose help will do.
        context = getattr(error, "ctx", None)
        # The library that checks option values says "Value error" before what the error is.
        say(f"mps-bill: {error.format_message().replace('Value error, ', '')}")
        say(f"Try '{context.command_path if context else 'mps-bill'} --help'.")
        return WRONG_COMMAND_LINE
    except InputRejected as rejected:
        if rejected.heading:
            say(rejected.heading)
        say_problems(rejected.report)
        return REJECTED
    except OutputFailed as failed:
        say(f"mps-bill: {failed}")
        return REJECTED
    except (KeyboardInterrupt, typer.Abort):
        code = signals.INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and (reason := _of_the_machine(error)):
            say(f"mps-bill: {reason}")
            return REJECTED
        if os.environ.get("MPS_BILL_DEBUG"):
            raise
        say(f"mps-bill: this is a bug: {type(error).__name__}: {error}")
        say("Set MPS_BILL_DEBUG=1 to see where it happened, and please report it.")
        return BUG
    # The library that calls the command turns an interruption into this code.
    if code == signals.INTERRUPTED:
        say(INTERRUPTED_MESSAGE)
        return signals.exit_code()
    return code


#: What a name on the command line can lead to: a folder that may not be entered, a name that no file can have.
_OF_A_NAME = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)


def _of_the_machine(error: OSError) -> str | None:
    """What is wrong with the machine and not with the program, where an error says so."""
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
