"""`mps-bill init`: first files, which bill at once."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mps_bill.cli import exit_codes
from mps_bill.cli.output import cannot_write, open_output
from mps_bill.core.diagnostics import one_of, printable

#: The files, and what each is.
_FILES = {
    "usage.csv": "five jobs; the column tag_comment says what each row shows",
    "account.yaml": "the account that pays: a resource plan, a voucher, a balance",
    "mps-bill.yaml": "the price sheet and the account that commands take where none is named",
}
_SHEET = ("price-sheet.yaml", "prices of your own, made up for the example")


def init(
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="The folder; it is made where there is none.")
    ] = ".",
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Also write a price sheet of your own, and bill by it.")
    ] = False,
) -> int:
    """Write a usage file, an account and a config that bill at once.

    Each is an example with comments, to be filled with what is yours. No file is ever written over.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise typer.BadParameter(f"{printable(folder)} is a file, and not a folder", param_hint="[FOLDER]")
    files = {**_FILES, **dict([_SHEET] if sheet else [])}
    there = [name for name in files if os.path.lexists(os.path.join(folder, name))]
    if there:
        is_there = f"{one_of(there).replace(' or ', ' and ')} {'is' if len(there) == 1 else 'are'} already"
        message = f"{is_there} in {_called(folder)}, and no file is written over; name another folder"
        raise typer.BadParameter(message, param_hint="[FOLDER]")
    # The example's prices are read today, for the check of a sheet warns of old ones.
    texts = {"read_on: 2023-11-01": f"read_on: {datetime.now(UTC).date()}"}
    if sheet:
        texts["prices: [mps-china]"] = f"prices: [{_SHEET[0]}]"
    try:
        os.makedirs(folder, exist_ok=True)
        for name in files:
            text = Path(__file__).with_name("first_files").joinpath(name).read_text(encoding="utf-8")
            for example, value in texts.items():
                text = text.replace(example, value)
            with open(os.path.join(folder, name), "x", encoding="utf-8", newline="") as stream:
                stream.write(text)
    except OSError as error:
        raise cannot_write(error.filename or folder, "[FOLDER]", error) from None
    with open_output(None) as stream:
        stream.write(_next_steps(folder, files))
    return exit_codes.DONE


def _called(folder: str) -> str:
    return "this folder" if folder == "." else printable(folder)


def _next_steps(folder: str, files: dict[str, str]) -> str:
    lines = [f"Written to {_called(folder)}:", ""]
    lines += [f"  {name:18}{about}" for name, about in files.items()]
    lines += ["", "Next:" if folder == "." else "Next, in that folder:", ""]
    lines += [
        "  mps-bill bill usage.csv      itemised bills",
        "  mps-bill settle usage.csv    bills paid from the account",
    ]
    return "\n".join([*lines, ""])
