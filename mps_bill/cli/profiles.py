"""The import profile of a run: `--profile` and `--set`, and the files that it reads as usage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mps_bill.cli.options import DefaultText, named
from mps_bill.cli.output import invalid, say
from mps_bill.core.diagnostics import InputRejected, accepted, counted, quoted
from mps_bill.metering.foreign_forms import has_usage_columns
from mps_bill.metering.sources import FOREIGN_FORMATS, FORMATS, Format, UsageSource, read_errors, usage_sources

if TYPE_CHECKING:
    from mps_bill.profiles.convert import Converted
    from mps_bill.profiles.profile_model import Profile

#: No profile, also where the config file names one.
_NO_PROFILE = "none"
#: The profile that the shape of the files asks for, if any; as without the option.
_BY_SHAPE = "auto"


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """The import profile of a run: `profile` where it is named, else by the shape of the files if `by_shape`."""

    profile: Profile | None
    by_shape: bool
    constants: tuple[str, ...]
    #: Constants that are only a default do without a profile.
    needs_one: bool = True

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats of the files that the run can read."""
        if self.profile:
            return FOREIGN_FORMATS
        return tuple(dict.fromkeys((*FORMATS, *FOREIGN_FORMATS))) if self.by_shape else FORMATS

    def of(self, sources: Sequence[UsageSource], *, quiet: bool) -> Profile | None:
        """The profile with the columns and parameters that `--set` gives, None for usage files. What the shape of a file asks
        for is reported.

        Raises:
            InputRejected: no profile reads a file that is no usage file.
        """
        profile = self.profile
        if not profile and self.by_shape and not _all_usage(sources):
            from mps_bill.profiles.find_profile import find_profile

            if found := find_profile(sources):
                profile, source = found
                say(f"Profile {profile.id}: found by the shape of {source.name}", quiet=quiet)
        if profile:
            return _completed(profile, self.constants)
        if self.constants and self.by_shape and self.needs_one:
            raise invalid("--set", "this needs --profile; a usage file has columns of its own")
        return None


def _all_usage(sources: Sequence[UsageSource]) -> bool:
    """Whether all files are usage files by their names, and the first table by its header: most runs need no more."""
    tables = [source for source in sources if source.format.startswith("csv") and not source.url]
    if any(source.format not in FORMATS for source in sources):
        return False
    try:
        with ExitStack() as stack:
            return not tables or has_usage_columns(stack.enter_context(tables[0].open()))
    except read_errors():
        # Its reader says what is wrong.
        return True


def choose_profile(name: str | None, constants: list[str] | None) -> ProfileChoice:
    """What `--profile` and `--set` ask for.

    Raises:
        InputRejected: with every problem of the profile.
    """
    given = tuple(constants or ())
    if name in (None, _BY_SHAPE, _NO_PROFILE):
        return ProfileChoice(None, name != _NO_PROFILE, given, not any(isinstance(pair, DefaultText) for pair in given))
    from mps_bill.profiles.profile_definition import load_profile

    profile = accepted(*load_profile(name))
    # What is missing is reported before any file is opened.
    _completed(profile, given)
    return ProfileChoice(profile, by_shape=False, constants=given)


def _completed(profile: Profile, constants: Sequence[str]) -> Profile:
    profile = profile.with_constants(_constants(profile, constants))
    if missing := [*profile.missing_columns, *profile.missing_parameters]:
        given = " ".join(f"--set {name}=..." for name in missing)
        about = "".join(f"; {name}: {profile.parameters[name].about}" for name in profile.missing_parameters)
        raise invalid("--set", f"profile {profile.id} does not make every column that usage needs; give {given}{about}")
    return profile


def _constants(profile: Profile, pairs: Sequence[str]) -> dict[str, str]:
    """`["region=cn-shanghai"]` as columns and parameters with their values."""
    from mps_bill.profiles.profile_definition import parse_column

    constants: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        with named("--set"):
            if not sign or not value.isprintable() or '"' in value:
                raise ValueError(f"{quoted(pair)} is not a column and its value, such as region=cn-shanghai")
            if name not in profile.parameters:
                parse_column(name)
            if name in constants:
                raise ValueError(f"{quoted(name)} is given twice")
        constants[name] = value
    return constants


@contextmanager
def conversion(files: Sequence[UsageSource], profile: Profile, *, quiet: bool) -> Iterator[tuple[Converted, ...]]:
    """Files read as usage under a profile. Reports how many records of each file are rows of usage, why others are not, and
    the notes of the profile.

    Raises:
        InputRejected: a file lacks what the profile needs.
    """
    from mps_bill.profiles.convert import converted_sources

    with converted_sources(files, profile, partial(say, quiet=quiet)) as converted:
        templates: Counter[str] = Counter()
        on_trust = empty = 0
        for one in converted:
            parts = [f"{count} skipped ({reason})" for reason, count in sorted(one.skipped.items())]
            parts = [counted(one.rows, "row"), *parts]
            several = [counted(one.documents, "document")]
            several += [counted(one.answers, "answer")] if one.answers else []
            read = max(one.documents, one.answers)
            named = f"{one.source.name} ({', '.join(several)})" if read > 1 else one.source.name
            say(f"Records of {named}: {one.records} read = {' + '.join(parts)}", quiet=quiet)
            templates += one.templates
            on_trust += one.on_trust
            empty += one.empty
        records = sum(one.records for one in converted)
        if records and not any(one.rows for one in converted):
            say(f"Warning: no usage found; {counted(records, 'record')} skipped for the reasons above")
        if empty:
            say(
                f"Warning: {counted(empty, 'record')} of successful jobs with length 0, billed as 0; ask the provider about them"
            )
        if on_trust:
            say(
                f"Warning: {counted(on_trust, 'page')} with a next page but no stored request; a missing page cannot be"
                " detected; `fetch` stores requests"
            )
        for template, count in sorted(templates.items()):
            say(
                f"Warning: {counted(count, 'record')} with template {quoted(template)}, which is not in the profile; the item was"
                " taken from the streams; add the template under `templates` in a profile of your own"
            )
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
