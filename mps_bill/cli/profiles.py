"""The import profile of a run: `--profile` and `--set`, and the files that it reads as usage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import typer

from mps_bill.cli.output import say
from mps_bill.core.diagnostics import InputRejected, quoted
from mps_bill.metering.sources import FOREIGN_FORMATS, FORMATS, Format, UsageSource, usage_sources

if TYPE_CHECKING:
    from mps_bill.profiles.convert import Converted
    from mps_bill.profiles.profile import Profile

#: Overrides a profile that the config file names.
_NO_PROFILE = "none"


def load_profile(name: str | None, constants: list[str] | None) -> Profile | None:
    """The import profile of the run with the columns that `--set` gives; None without one, or where `none` undoes a default.

    Raises:
        InputRejected: with every problem of the profile.
    """
    if name == _NO_PROFILE:
        return None
    if name is None:
        if constants:
            raise typer.BadParameter("this needs --profile; a usage file has columns of its own", param_hint="--set")
        return None
    from mps_bill.profiles import read_profile as profiles

    profile, problems = profiles.load_profile(name)
    if profile is None:
        raise InputRejected(problems)
    profile = profile.with_constants(_constants(constants or []))
    if profile.missing_columns:
        given = " ".join(f"--set {column}=..." for column in profile.missing_columns)
        raise typer.BadParameter(
            f"profile {profile.id} does not make every column that usage needs; give {given}", param_hint="--set"
        )
    return profile


def _constants(pairs: list[str]) -> dict[str, str]:
    """`["region=cn-shanghai"]` as columns with their values."""
    from mps_bill.profiles.profile_definition import parse_column

    constants: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        try:
            if not sign or not value.isprintable() or '"' in value:
                raise ValueError(f"{quoted(pair)} is not a column and its value, such as region=cn-shanghai")
            if parse_column(name) in constants:
                raise ValueError(f"{quoted(name)} is given twice")
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--set") from None
        constants[name] = value
    return constants


@contextmanager
def conversion(usage: Sequence[str], profile: Profile, *, quiet: bool) -> Iterator[tuple[Converted, ...]]:
    """Files read as usage under a profile. Reports how many records of each file are rows of usage, why others are not, and
    the notes of the profile.

    Raises:
        InputRejected: a name is not a file that can be read, or a file lacks what the profile needs.
    """
    from mps_bill.profiles.convert import converted_sources

    with (
        opened(usage, FOREIGN_FORMATS) as files,
        converted_sources(files, profile, partial(say, quiet=quiet)) as converted,
    ):
        for one in converted:
            parts = [f"{count} skipped ({reason})" for reason, count in sorted(one.skipped.items())]
            parts = [f"{one.rows} rows", *parts]
            say(f"Records of {one.source.name}: {one.records} read = {' + '.join(parts)}", quiet=quiet)
        for note in profile.notes:
            say(f"Note: {note}", quiet=quiet)
        yield converted


@contextmanager
def opened(
    usage: Sequence[str], formats: Sequence[Format] = FORMATS, temp_folder: str | None = None
) -> Iterator[tuple[UsageSource, ...]]:
    """The files that the arguments name.

    Raises:
        InputRejected: a name is not a file that can be read.
    """
    with usage_sources(usage, temp_folder, formats) as (sources, problems):
        if problems:
            raise InputRejected(problems)
        yield sources
