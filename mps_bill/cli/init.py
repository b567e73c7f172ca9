"""`mps-bill init`: first files, which can be billed at once."""

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

#: The files with their descriptions.
_FILES = {
    "usage.csv": "five jobs; the column tag_comment says what each row shows",
    "account.yaml": "the account that pays: a resource plan, a voucher, a balance",
    "mps-bill.yaml": "the default price sheet and account",
    "price-sheet.yaml": "your own prices, invented for the example",
}
_SHEET = "price-sheet.yaml"
#: The folder of the samples with its description.
_SAMPLES = "samples"
_ABOUT_SAMPLES = "the files of the examples in the manual"
_SAMPLES_INIT = "Write the folder samples instead, with the files of the examples in the manual."


def init(
    folder: Annotated[str, argument("[FOLDER]", "The folder to write to. It is created if it does not exist.")] = ".",
    sheet: Annotated[bool, option("--sheet", "Also write an example of your own price sheet, and use it.")] = False,
    samples: Annotated[bool, option("--samples", _SAMPLES_INIT)] = False,
) -> int:
    """Write example files: usage, an account and a config.

    The files can be billed at once. They have comments, and are to be replaced with your own data. Existing files are
    never overwritten.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise invalid("[FOLDER]", f"{printable(folder)} is a file, not a folder")
    if samples and sheet:
        raise invalid("--sheet", "it cannot be combined with --samples")
    files = _samples() if samples else _first_files(sheet=sheet)
    shown = {_SAMPLES: _ABOUT_SAMPLES} if samples else {name: _FILES[name] for name in files}
    there = [name for name in shown if os.path.lexists(os.path.join(folder, name))]
    if there:
        exists = f"{all_of(there)} {'exists' if len(there) == 1 else 'exist'} already"
        raise invalid("[FOLDER]", f"{exists} in {_called(folder)}, and no file is overwritten; name another folder")
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
    """Return the first files by name. With a price sheet, the config names that sheet."""
    # The prices get today's date, because the check of price sheets warns about old ones.
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
    """Return the samples by their paths below the folder samples."""
    folder = shipped_folder(_SAMPLES)
    if folder is None:
        raise invalid("--samples", "this installation does not include the samples")
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(Path(_SAMPLES, path.relative_to(folder))): path.read_bytes() for path in found}


def _called(folder: str) -> str:
    return "this folder" if folder == "." else printable(folder)


def _next_steps(folder: str, shown: dict[str, str], *, samples: bool) -> str:
    lines = [f"Written to {_called(folder)}:", ""]
    lines += [f"  {name:18}{about}" for name, about in shown.items()]
    lines += ["", "Next:" if folder == "." else "Next, in that folder:", ""]
    if samples:
        lines += ["  mps-bill help overview      the first page of the manual, whose examples work here"]
    else:
        lines += ["  mps-bill bill usage.csv      itemised bills"]
        lines += ["  mps-bill settle usage.csv    bills paid from the account"]
    return "\n".join([*lines, ""])
