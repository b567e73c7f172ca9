"""`mps-bill help`: the pages of the manual, offline."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from mps_bill.cli import completion, exit_codes
from mps_bill.cli.options import argument
from mps_bill.cli.output import invalid, open_output
from mps_bill.core.diagnostics import near_miss, quoted
from mps_bill.core.files import shipped_folder


def help(
    context: typer.Context,
    topic: Annotated[list[str] | None, argument("[TOPIC]", "A page or a command.", completion.topics)] = None,
) -> int:
    """Show a page of the manual, or list all pages.

    For a command without a page, its --help is shown.
    """
    pages = topics()
    words = " ".join(topic or ())
    if not words:
        _show_list(pages)
    elif words in pages:
        # Comments in a page are for its authors.
        _show_page(re.sub(r"<!--.*?-->\n?", "", pages[words].read_text(encoding="utf-8"), flags=re.DOTALL))
    else:
        _show_help(context, words, pages)
    return exit_codes.DONE


def topics() -> dict[str, Path]:
    """Return the pages of the manual by name."""
    folder = shipped_folder("docs")
    if folder is None:
        return {}
    return {"overview": folder.parent / "README.md"} | {path.stem: path for path in sorted(folder.glob("*.md"))}


def _show_list(pages: dict[str, Path]) -> None:
    with open_output(None) as stream:
        stream.write("Pages of the manual, for mps-bill help TOPIC:\n\n")
        widest = max(map(len, pages), default=0)
        for name, path in pages.items():
            with path.open(encoding="utf-8") as page:
                stream.write(f"  {name:{widest}}  {page.readline().lstrip('# ').rstrip()}\n")
        stream.write("\nmps-bill --help lists the commands, and mps-bill COMMAND --help the options of a command.\n")


def _show_page(text: str) -> None:
    if not sys.stdout.isatty():
        with open_output(None) as stream:
            stream.write(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text, hyperlinks=False))


def _show_help(context: typer.Context, words: str, pages: dict[str, Path]) -> None:
    """Print the --help of a command. If there is none, raise `typer.BadParameter` with the nearest topic."""
    from mps_bill.cli.app import COMMANDS, app_for

    command, path = typer.main.get_command(app_for()), context.find_root()
    for word in words.split():
        found = getattr(command, "commands", {}).get(word)
        if found is None:
            hint = near_miss(words, [*pages, *COMMANDS], priced=False) or "; mps-bill help lists the pages"
            raise invalid("TOPIC", f"{quoted(words)} is not a page of the manual or a command{hint}")
        command, path = found, type(path)(found, info_name=word, parent=path)
    with open_output(None) as stream:
        stream.write(f"{command.get_help(path)}\n")
