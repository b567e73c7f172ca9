"""The options of every command that reads usage, in one place."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.cli import options


@dataclass(frozen=True, slots=True)
class Reading:
    """How a command reads usage. A field is an option: its type says how it is spelt."""

    profile: options.Profile = None
    constants: options.Constants = None
    rejects: options.Rejects = None
    max_errors: options.MaxErrors = 20
    timezone: options.Timezone = None
    ignore_extra_columns: options.IgnoreExtra = False
    trust_unique: options.TrustUnique = False
    engine: options.EngineOption = options.Engine.auto
    memory: options.Memory = None
    threads: options.Threads = None
    temp_dir: options.TempDir = None
    master: options.Master = None
    quiet: options.Quiet = False


def takes(**groups: type[Any]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command the options that the fields of some data classes are, such as `reading=Reading`, and hands each of them
    to it as its parameter of that name."""

    def given(command: Callable[..., int]) -> Callable[..., int]:
        for name, made in groups.items():
            command = _with_fields(command, name, made)
        return command

    return given


def _with_fields(command: Callable[..., int], name: str, made: type[Any]) -> Callable[..., int]:
    """A command with the options that the fields of a data class are, in the place of its parameter `name`."""
    spelt = typing.get_type_hints(made, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=spelt[field.name]
        )
        for field in dataclasses.fields(made)
    ]
    return with_options(command, name, shared, made)


def with_options(
    command: Callable[..., int], name: str, shared: Sequence[inspect.Parameter], make: Callable[..., object]
) -> Callable[..., int]:
    """A command with the parameters `shared` in the place of its parameter `name`, which is what `make` makes of them."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [
        parameter for own in signature.parameters.values() for parameter in (shared if own.name == name else [own])
    ]

    @functools.wraps(command)
    def run(**given: object) -> int:
        made = make(**{parameter.name: given.pop(parameter.name) for parameter in shared})
        return command(**given, **{name: made})

    # The options are read off the signature, and their types off the annotations.
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
