"""The import profile of a run (`--profile` and `--set`), and the files that it converts to usage."""

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

#: Use no profile, even if the config file names one.
_NO_PROFILE = "none"
#: Detect the profile from the shape of the files; the same as without the option.
_BY_SHAPE = "auto"


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """The import profile of a run: the named `profile`, or with `by_shape` the one detected from the shape of the files."""

    profile: Profile | None
    by_shape: bool
    constants: tuple[str, ...]
    #: Whether constants without a profile are an error. Constants that are only defaults are not.
    needs_one: bool = True

    @property
    def formats(self) -> tuple[Format, ...]:
        """The file formats that the run can read."""
        if self.profile:
            return FOREIGN_FORMATS
        return tuple(dict.fromkeys((*FORMATS, *FOREIGN_FORMATS))) if self.by_shape else FORMATS

    def of(self, sources: Sequence[UsageSource], *, quiet: bool) -> Profile | None:
        """Return the profile with the columns and parameters of `--set`; None for usage files. A detected profile is reported.

        Raises:
            InputRejected: a file is not a usage file, and no profile reads it.
        """
        profile = self.profile
        if not profile and self.by_shape and not _all_usage(sources):
            from mps_bill.profiles.find_profile import find_profile

            if found := find_profile(sources):
                profile, source = found
                say(f"Profile {profile.id}: detected from {source.name}", quiet=quiet)
        if profile:
            return _completed(profile, self.constants)
        if self.constants and self.by_shape and self.needs_one:
            raise invalid("--set", "it needs --profile; a usage file has its own columns")
        return None


def _all_usage(sources: Sequence[UsageSource]) -> bool:
    """Whether all files are usage files by their names, and the first CSV by its header. Most runs need no further checks."""
    tables = [source for source in sources if source.format.startswith("csv") and not source.url]
    if any(source.format not in FORMATS for source in sources):
        return False
    try:
        with ExitStack() as stack:
            return not tables or has_usage_columns(stack.enter_context(tables[0].open()))
    except read_errors():
        # The reader of usage files reports what is wrong.
        return True


def choose_profile(name: str | None, constants: list[str] | None) -> ProfileChoice:
    """Return the choice made by `--profile` and `--set`, or raise `InputRejected` with every problem of the profile."""
    given = tuple(constants or ())
    if name in (None, _BY_SHAPE, _NO_PROFILE):
        return ProfileChoice(None, name != _NO_PROFILE, given, not any(isinstance(pair, DefaultText) for pair in given))
    from mps_bill.profiles.profile_definition import load_profile

    profile = accepted(*load_profile(name))
    # Report missing constants before any file is opened.
    _completed(profile, given)
    return ProfileChoice(profile, by_shape=False, constants=given)


def _completed(profile: Profile, constants: Sequence[str]) -> Profile:
    profile = profile.with_constants(_constants(profile, constants))
    if missing := [*profile.missing_columns, *profile.missing_parameters]:
        given = " ".join(f"--set {name}=..." for name in missing)
        about = "".join(f"; {name}: {profile.parameters[name].about}" for name in profile.missing_parameters)
        raise invalid("--set", f"profile {profile.id} does not set every required column; give {given}{about}")
    return profile


def _constants(profile: Profile, pairs: Sequence[str]) -> dict[str, str]:
    """Return the columns and parameters of pairs such as `region=cn-shanghai` with their values."""
    from mps_bill.profiles.profile_definition import parse_column

    constants: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        with named("--set"):
            if not sign or not value.isprintable() or '"' in value:
                raise ValueError(f"{quoted(pair)} is not NAME=VALUE, such as region=cn-shanghai")
            if name not in profile.parameters:
                parse_column(name)
            if name in constants:
                raise ValueError(f"{quoted(name)} is given twice")
        constants[name] = value
    return constants


@contextmanager
def conversion(files: Sequence[UsageSource], profile: Profile, *, quiet: bool) -> Iterator[tuple[Converted, ...]]:
    """Convert files to usage by a profile. Report for each file how many records became usage rows and why others were skipped,
    then the notes of the profile.

    Raises:
        InputRejected: a file lacks something that the profile needs.
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
                f"Warning: {counted(on_trust, 'page')} with a next page but no stored request, so a missing page cannot be"
                " detected; `mps-bill fetch` stores requests"
            )
        for template, count in sorted(templates.items()):
            say(
                f"Warning: {counted(count, 'record')} with template {quoted(template)}, which is not in the profile; the item was"
                " derived from the streams; add the template under `templates` in your own profile"
            )
        for note in profile.notes:
            say(f"Note: {note}", quiet=quiet)
        yield converted


@contextmanager
def opened(
    usage: Sequence[str], formats: Sequence[Format] = FORMATS, temp_folder: str | None = None
) -> Iterator[tuple[UsageSource, ...]]:
    """Open the files that the arguments name. Raise `InputRejected` if a name is not a file that can be read."""
    with usage_sources(usage, temp_folder, formats) as (sources, problems):
        if problems:
            raise InputRejected(problems)
        yield sources
