"""The command line: options, one call, one renderer, an exit code. Data to standard output, talk to standard error."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

from mps_bill.cli.exit_codes import BUG, INTERRUPTED, REJECTED, WRONG_COMMAND_LINE


def main() -> NoReturn:
    """Runs the program and exits; an error for a person is one plain message, never a traceback."""
    # Millions of lines, totals and amounts are made and kept, and none of them refers back to what holds it: the collector
    # of cycles would walk them again and again and find nothing. Reference counts alone free what is dropped.
    gc.disable()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code."""
    import typer.exceptions

    from mps_bill.cli.app import app_for
    from mps_bill.cli.output import say, say_problems
    from mps_bill.core.diagnostics import InputRejected

    try:
        code = app_for(arguments)(args=arguments, prog_name="mps-bill", standalone_mode=False) or 0
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
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if os.environ.get("MPS_BILL_DEBUG"):
            raise
        say(f"mps-bill: this is a bug: {type(error).__name__}: {error}")
        say("Set MPS_BILL_DEBUG=1 to see where it happened, and please report it.")
        return BUG
    if code == INTERRUPTED:
        say("Interrupted; nothing was written.")
    return int(code)
