"""`mps-bill init`: first files, which bill at once."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from mps_bill.cli import exit_codes
from mps_bill.cli.options import argument, option
from mps_bill.cli.output import cannot_write, invalid, open_output
from mps_bill.core.diagnostics import all_of, printable
from mps_bill.core.files import shipped_folder

#: The files, and what each is.
_FILES = {
    "usage.csv": "five jobs; the column tag_comment says what each row shows",
    "account.yaml": "the account that pays: a resource plan, a voucher, a balance",
    "mps-bill.yaml": "the default price sheet and account",
    "price-sheet.yaml": "prices of your own, made up for the example",
}
_SHEET = "price-sheet.yaml"
#: The folder of the samples, and what it is.
_SAMPLES = "samples"
_ABOUT_SAMPLES = "what the examples of the manual bill"
_SAMPLES_INIT = "Write the folder samples instead, on which the examples of the manual run."


def init(
    folder: Annotated[str, argument("[FOLDER]", "The folder; it is made where there is none.")] = ".",
    sheet: Annotated[bool, option("--sheet", "Also write a price sheet of your own, and bill by it.")] = False,
    samples: Annotated[bool, option("--samples", _SAMPLES_INIT)] = False,
) -> int:
    """Write a usage file, an account and a config that bill at once.

    Each is an example with comments, to be filled with what is yours. No file is ever written over.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise invalid("[FOLDER]", f"{printable(folder)} is a file, and not a folder")
    if samples and sheet:
        raise invalid("--sheet", "the samples have no price sheet of your own")
    files = _samples() if samples else _first_files(sheet=sheet)
    shown = {_SAMPLES: _ABOUT_SAMPLES} if samples else {name: _FILES[name] for name in files}
    there = [name for name in shown if os.path.lexists(os.path.join(folder, name))]
    if there:
        is_there = f"{all_of(there)} {'is' if len(there) == 1 else 'are'} already"
        raise invalid("[FOLDER]", f"{is_there} in {_called(folder)}, and no file is written over; name another folder")
    try:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(data)
    except OSError as error:
        raise cannot_write(error.filename or folder, "[FOLDER]", error) from None
    with open_output(None) as output:
        output.write(_next_steps(folder, shown, samples=samples))
    return exit_codes.DONE


def _first_files(*, sheet: bool) -> dict[str, bytes]:
    """The first files by name, with or without a price sheet, which is what the config then names."""
    # The example's prices are read today, for the check of a sheet warns of old ones.
    texts = {"read_on: 2023-11-01": f"read_on: {datetime.now(UTC).date()}"}
    if sheet:
        texts["prices: [mps-china]"] = f"prices: [{_SHEET}]"
    files = {}
    for name in _FILES:
        if name == _SHEET and not sheet:
            continue
        text = Path(__file__).with_name("first_files").joinpath(name).read_text(encoding="utf-8")
        for example, value in texts.items():
            text = text.replace(example, value)
        files[name] = text.encode("utf-8")
    return files


def _samples() -> dict[str, bytes]:
    """The samples by name, below a folder of their own."""
    folder = shipped_folder(_SAMPLES)
    if folder is None:
        raise invalid("--samples", "this installation came without the samples")
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(Path(_SAMPLES, path.relative_to(folder))): path.read_bytes() for path in found}


def _called(folder: str) -> str:
    return "this folder" if folder == "." else printable(folder)


def _next_steps(folder: str, shown: dict[str, str], *, samples: bool) -> str:
    lines = [f"Written to {_called(folder)}:", ""]
    lines += [f"  {name:18}{about}" for name, about in shown.items()]
    lines += ["", "Next:" if folder == "." else "Next, in that folder:", ""]
    if samples:
        lines += ["  mps-bill help overview      the manual's first page, whose examples run here"]
    else:
        lines += ["  mps-bill bill usage.csv      itemised bills"]
        lines += ["  mps-bill settle usage.csv    bills paid from the account"]
    return "\n".join([*lines, ""])
