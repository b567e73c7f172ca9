"""Values that the command line takes as they are agree with the conversion of its library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import typer

from mps_bill.cli.app import app_for
from mps_bill.cli.command_help import convert_where_needed


def parameters(command: Any) -> Iterator[Any]:
    """Those of a command and of all below it."""
    yield from command.get_params(typer.Context(command))
    for below in getattr(command, "commands", {}).values():
        yield from parameters(below)


def by_kind() -> dict[str, tuple[Any, Any]]:
    """Two of each kind of parameter that the program has, by what they take: the first is the library's own."""
    pairs = zip(*(parameters(typer.main.get_command(app_for())) for _ in range(2)), strict=True)
    return {kind_of(own): (own, ours) for own, ours in pairs}


def kind_of(parameter: Any) -> str:
    taken, parser = parameter.type_descriptor.annotation, parameter.type_descriptor.parameter_info.parser
    return f"{parameter.param_type_name} of {taken}" + (" by a parser" if parser else "")


KINDS = by_kind()


def values(parameter: Any) -> Iterator[Any]:
    """What a command line, a variable, the config file or a default can give to it, right and wrong."""
    taken = parameter.type_descriptor.annotation
    texts = ["", "1", "0", "-1", "true", "x", "a,b", "多", "\udcff"]
    words = [word for word in get_args(taken) if isinstance(word, str)]
    texts += [text for word in words for text in (word, word.upper(), f" {word}")]
    yield from (None, parameter.default, *texts)
    if parameter.nargs == -1 or getattr(parameter, "multiple", False):
        yield from ([], (), ["a"], ("a", "b"), ["多", "\udcff", ""])


def converted(parameter: Any, value: Any) -> object:
    context = typer.Context(typer.main.get_command(app_for()))
    try:
        found = parameter.process_value(context, value)
    except typer.exceptions.TyperException as error:
        return type(error), error.format_message()
    return type(found), found


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_what_the_library_makes_of_it(kind: str) -> None:
    own, ours = KINDS[kind]
    own.callback = ours.callback = None
    given = list(values(own))
    expected = [converted(own, value) for value in given]
    convert_where_needed([ours])
    assert [converted(ours, value) for value in given] == expected


def test_there_are_parameters_of_every_kind() -> None:
    assert len(KINDS) > 10


def test_a_parser_has_its_say() -> None:
    """Also of text that stays text."""
    program = typer.Typer()

    @program.command()
    def shout(word: str = typer.Option(parser=str.upper)) -> None:
        pass

    (option,) = typer.main.get_command(program).params[:1]
    convert_where_needed([option])
    assert converted(option, "a") == (str, "A")
