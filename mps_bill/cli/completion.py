"""What a shell offers to complete a command line. A completion is quick and silent: if anything fails, it offers nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mps_bill.metering.sources import UsageSource
    from mps_bill.price_sheet.sheet_model import Item

Complete = Callable[[typer.Context, str], list[str]]

#: The environment variable by which a shell asks for completions, and its value in Bash.
ASKED_BY = "_MPS_BILL_COMPLETE"
_BASH = "complete_bash"
#: The variable in which other shells give the command line.
_OTHER_SHELLS = "_TYPER_COMPLETE_ARGS"
#: Bash ends a word at these characters.
_BREAKS = ("=", ":")
#: The variable for the beginning of a word that Bash has split off, such as `region=`.
_BEGUN = "_MPS_BILL_BEGUN"
#: Only usage files with fewer bytes are read for completions.
_SMALL = 5_000_000
_MAX_ROWS = 50_000


def join_words(environment: MutableMapping[str, str]) -> None:
    """Join the words of the command line that Bash has split at `=` and `:`."""
    if environment.get(ASKED_BY) != _BASH or "COMP_WORDS" not in environment:
        return
    between = "\n" if "\n" in environment["COMP_WORDS"] else " "
    parts = environment["COMP_WORDS"].split(between)
    current = min(int(environment["COMP_CWORD"]), len(parts) - 1)
    words: list[str] = []
    for number, part in enumerate(parts[: current + 1]):
        if number and part and (part[0] in _BREAKS or words[-1].endswith(_BREAKS)):
            words[-1] += part
        else:
            words.append(part)
    if parts[current] and not words[-1].startswith("-"):
        begun = max(words[-1].rfind(sign) for sign in _BREAKS) + 1
        environment[_BEGUN], words[-1] = words[-1][:begun], words[-1][begun:]
    environment["COMP_WORDS"], environment["COMP_CWORD"] = between.join(words), str(len(words) - 1)


def words_before(environment: Mapping[str, str]) -> list[str] | None:
    """Return the words before the one to complete; None if there are none, or the shell asks for its script."""
    line = environment.get("COMP_WORDS") or environment.get(_OTHER_SHELLS, "")
    return line.replace("\n", " ").split(" ")[1:-1] or None


def _quietly(offer: Callable[[typer.Context, str], Iterable[str]]) -> Complete:
    """Make `offer` return only completions of the word on the command line, and nothing if it fails."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        begun = os.environ.get(_BEGUN, "")
        word = begun + incomplete
        try:
            return [one.removeprefix(begun) for one in offer(context, word) if one.startswith(word)]
        except Exception:
            return []

    return complete


def _named(module: str, name: str) -> Complete:
    """Offer the names in a module's `name`, or those that it returns if it is a function. The module is imported on demand."""

    def offer(*_: object) -> Iterable[str]:
        found = getattr(import_module(f"mps_bill.{module}"), name)
        names: Iterable[str] = found() if callable(found) else found
        return names

    return _quietly(offer)


#: Shipped ids; the shell itself completes file names.
sheets = _named("price_sheet.find", "shipped_sheets")
profiles = _named("profiles.profile_definition", "shipped_profiles")
packs = _named("ask.advise.read_packs", "shipped_packs")
documents = _named("cli.schema", "DOCUMENTS")
regions = _named("price_sheet.regions", "REGIONS")


@_quietly
def topics(*_: object) -> Iterable[str]:
    from mps_bill.cli.app import COMMANDS
    from mps_bill.cli.help import topics as pages

    return dict.fromkeys([*pages(), *COMMANDS])


#: Item codes of the price sheets, and specs of the items on the command line, or of all items if it names none.
items = _quietly(lambda context, _: (item.code for item in _items(context)))
specs = _quietly(lambda context, _: _specs(context, context.params.get("item") or ()))
#: The jobs of small usage files.
jobs = _quietly(lambda context, _: _values(context, "job_id"))


@_quietly
def estimated(context: typer.Context, _: str) -> Iterable[str]:
    """Offer the next word of `estimate`: an item, one of its specs, or a unit that converts to the item's."""
    from mps_bill.core.units import UNITS

    words = tuple(context.params.get("words") or ())
    if not words:
        return (item.code for item in _items(context))
    if len(words) == 1:
        return _specs(context, words)
    dimensions = {item.unit.dimension for item in _items(context) if item.code == words[0]}
    return [unit.name for unit in UNITS.values() if unit.dimension in dimensions]


@_quietly
def groupings(context: typer.Context, word: str) -> Iterable[str]:
    """Offer the groupings of summaries: the known words, and the tags of the usage files; after a comma, too. Changes are never
    grouped by time."""
    from mps_bill.ask.summaries import GROUPINGS
    from mps_bill.rating.selection import LINE_KEYS

    before, comma, _ = word.rpartition(",")
    known = LINE_KEYS if context.info_name == "compare" else GROUPINGS
    return (before + comma + grouping for grouping in (*known, *_tags(context)))


@_quietly
def only(context: typer.Context, word: str) -> Iterable[str]:
    """Offer `KEY=VALUE` with the values in small usage files, or else the known values."""
    from mps_bill.rating.selection import LINE_KEYS

    keys = [*LINE_KEYS, *_tags(context)]
    matching = [key for key in keys if f"{key}=".startswith(word) or word.startswith(f"{key}=")]
    if len(matching) != 1:
        return [f"{key}=" for key in matching]
    (key,) = matching
    values = _values(context, key)
    if not values and key in LINE_KEYS:
        values = dict.fromkeys(value for item in _items(context) for value in LINE_KEYS[key].values(item))
    return [f"{key}={value}" for value in values]


def _items(context: typer.Context) -> Iterator[Item]:
    """Yield the items of the price sheets on the command line, or of the default sheets, or of all shipped ones."""
    from mps_bill.config import find_config, load_settings
    from mps_bill.price_sheet.find import shipped_sheets
    from mps_bill.price_sheet.load_sheets import load_price_book

    names = context.params.get("prices") or ("paths" in context.params and _arguments(context, "paths"))
    if not names:
        setting = load_settings(find_config(Path.cwd()), os.environ).get("prices")
        names = setting.values if setting else ()
    met: set[str] = set()
    # Sheets of two sites cannot be in one book, so each is loaded separately.
    for name in names or shipped_sheets():
        book, _ = load_price_book([name])
        for item in book.items if book else ():
            if item.code not in met:
                met.add(item.code)
                yield item


def _specs(context: typer.Context, codes: Sequence[str]) -> Iterable[str]:
    return dict.fromkeys(spec for item in _items(context) if not codes or item.code in codes for spec in item.prices)


def _arguments(context: typer.Context, name: str) -> Sequence[str]:
    """Return the arguments of a command. They are not parsed yet if they follow an option without its value."""
    return context.params.get(name) or context.args


@contextmanager
def _usage(context: typer.Context) -> Iterator[tuple[UsageSource, ...]]:
    """Open the usage files of the command line if they are small. Standard input and URLs would take too long."""
    from mps_bill.metering.sources import expanded, usage_sources

    names = [name for argument in _arguments(context, "usage") for name in expanded(argument)]
    if all(map(os.path.isfile, names)) and sum(map(os.path.getsize, names)) < _SMALL:
        with usage_sources(names) as (sources, _):
            yield sources
    else:
        yield ()


def _values(context: typer.Context, column: str) -> Iterable[str]:
    """Return the values of a column in the usage files of the command line."""
    from mps_bill.metering.exact_reader import values_of

    with _usage(context) as sources:
        return dict.fromkeys(filter(None, islice(values_of(sources, column), _MAX_ROWS)))


def _tags(context: typer.Context) -> Iterable[str]:
    from mps_bill.metering.exact_reader import columns_of
    from mps_bill.metering.usage_columns import TAG_PREFIX

    with _usage(context) as sources:
        return dict.fromkeys(name for source in sources for name in columns_of(source) if name.startswith(TAG_PREFIX))
