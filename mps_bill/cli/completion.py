"""What a shell offers for the words of a command line. A completion is quick and silent: whatever fails offers nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer

Complete = Callable[[typer.Context, str], list[str]]


def _quietly(offer: Callable[[typer.Context], Iterable[str]]) -> Complete:
    """`offer` without failures, and only what starts as the word on the command line does."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        try:
            return [word for word in offer(context) if word.startswith(incomplete)]
        except Exception:
            return []

    return complete


@_quietly
def sheets(_: typer.Context) -> Iterable[str]:
    """Ids of shipped price sheets; files are the shell's own."""
    from mps_bill.price_sheet.find import shipped_sheets

    return shipped_sheets()


@_quietly
def profiles(_: typer.Context) -> Iterable[str]:
    """Ids of shipped import profiles."""
    from mps_bill.profiles.read_profile import shipped_profiles

    return shipped_profiles()


@_quietly
def packs(_: typer.Context) -> Iterable[str]:
    """Ids of shipped lists of resource packs."""
    from mps_bill.ask.advise.pack_files import shipped_packs

    return shipped_packs()


@_quietly
def documents(_: typer.Context) -> Iterable[str]:
    from mps_bill.cli.schema import DOCUMENTS

    return DOCUMENTS


@_quietly
def regions(_: typer.Context) -> Iterable[str]:
    from mps_bill.price_sheet.regions import REGIONS

    return REGIONS


@_quietly
def items(context: typer.Context) -> Iterable[str]:
    """Item codes of the price sheets on the command line, else of those that are the default, else of all shipped ones."""
    from mps_bill.config import load_settings
    from mps_bill.config.settings import find_config
    from mps_bill.price_sheet.find import shipped_sheets
    from mps_bill.price_sheet.load_sheets import load_price_book

    names: Any = context.params.get("prices")
    if not names:
        setting = load_settings(find_config(Path.cwd()), os.environ).get("prices")
        names = setting.values if setting else ()
    codes: dict[str, None] = {}
    # Sheets of two sites make no book together, so each is loaded by itself.
    for name in names or shipped_sheets():
        book, _ = load_price_book([name])
        codes.update(dict.fromkeys(item.code for item in book.items) if book else {})
    return codes
