"""The options of every command that reads usage, in one place."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mps_bill.cli import options
from mps_bill.cli.options import engine_option, reading_option

_REJECTS = "Write rejected rows with their problems to FILE and go on with the others; the exit code is then 1."
_MEMORY = "Memory for reading usage, such as 4GB. Default: 600 MB, or a quarter of a small machine's memory."
_THREADS = "Threads for reading usage. Default: one for each processor."
_TEMP_DIR = "Folder for what does not fit into memory. Default: the system's temporary folder."
_MASTER = "With --engine spark: the cluster. Default: this machine."


@dataclass(frozen=True, slots=True)
class Reading:
    """How a command reads usage. A field is an option: its type says how it is spelt."""

    profile: options.Profile = None
    constants: options.Constants = None
    rejects: Annotated[str | None, reading_option("--rejects FILE", _REJECTS)] = None
    max_errors: options.MaxErrors = 20
    timezone: options.Timezone = None
    ignore_extra_columns: Annotated[bool, reading_option("--ignore-extra-columns", "Ignore unknown columns.")] = False
    trust_unique: Annotated[bool, reading_option("--trust-unique", "Skip the check for duplicate records.")] = False
    engine: Annotated[
        Literal["auto", "duckdb", "python", "spark"],
        engine_option("--engine", "Engine that reads the usage; auto chooses by size."),
    ] = "auto"
    memory: Annotated[str | None, engine_option("--memory SIZE", _MEMORY)] = None
    threads: Annotated[int | None, engine_option("--threads N", _THREADS, min=1)] = None
    temp_dir: Annotated[str | None, engine_option("--temp-dir FOLDER", _TEMP_DIR)] = None
    master: Annotated[str | None, engine_option("--master URL", _MASTER)] = None
    quiet: options.Quiet = False


def takes(**groups: type[Any]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command the options that the fields of some data classes are, such as `reading=Reading`, and hands each of them
    to it as its parameter of that name."""

    def given(command: Callable[..., int]) -> Callable[..., int]:
        for name, made in groups.items():
            spelt = typing.get_type_hints(made, include_extras=True)
            # What marks a field, and a parameter, without a default.
            empty = {dataclasses.MISSING: inspect.Parameter.empty}
            fields = {
                one.name: (spelt[one.name], empty.get(one.default, one.default)) for one in dataclasses.fields(made)
            }
            command = with_options(command, name, fields, made)
        return command

    return given


def with_options(
    command: Callable[..., int], name: str, shared: Mapping[str, tuple[object, object]], make: Callable[..., object]
) -> Callable[..., int]:
    """A command with the options `shared` (how each is spelt, and its default) in the place of its parameter `name`, which is
    what `make` makes of them."""
    signature = inspect.signature(command, eval_str=True)
    options = [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=spelt)
        for option, (spelt, default) in shared.items()
    ]
    parameters = [one for own in signature.parameters.values() for one in (options if own.name == name else [own])]

    @functools.wraps(command)
    def run(**given: object) -> int:
        made = make(**{option: given.pop(option) for option in shared})
        return command(**given, **{name: made})

    # The options are read off the signature, and their types off the annotations.
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
