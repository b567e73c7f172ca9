"""Reading profiles: files, and those that are shipped with the program, by id."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from mps_bill.core.diagnostics import Place, Problem, near_miss, one_of, quoted
from mps_bill.documents.read_document import ReadDocument, read_document, read_text
from mps_bill.documents.shapes import Made
from mps_bill.profiles import profile_definition as d
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.profile import Profile

_SUFFIXES = (".yaml", ".yml")


def shipped_profiles() -> dict[str, Path]:
    """Id to file of every profile that is shipped with the program, by id."""
    return {path.stem: path for path in sorted(Path(__file__).with_name("shipped").glob("*.yaml"))}


def load_profile(name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile that `name` is, a file or the id of a shipped one; or None and every problem with it."""
    shipped = shipped_profiles()
    if name in shipped:
        return _shipped(name, shipped[name])
    if name.endswith(_SUFFIXES):
        return _profile(read_document(d.DOCUMENT, Path(name), name))
    hint = near_miss(name, shipped, priced=False) or f"; shipped: {one_of(tuple(shipped))}"
    message = f"{quoted(name)} is not a shipped profile or a file that ends in {one_of(_SUFFIXES)}{hint}"
    return None, (Problem(Place("--profile"), kinds.NO_SUCH_PROFILE, message),)


@cache
def _shipped(name: str, path: Path) -> tuple[Profile | None, tuple[Problem, ...]]:
    """A shipped profile. Others have its templates, so it is read once."""
    return _profile(read_document(d.DOCUMENT, path, f"profiles/{name}.yaml"))


def read_profile(text: str, file_name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile that `text` is, or None and every problem with it, by place."""
    return _profile(read_text(d.DOCUMENT, text, file_name))


def _profile(document: ReadDocument[Made[Profile]]) -> tuple[Profile | None, tuple[Problem, ...]]:
    fields = document.fields
    if document.problems or fields is None:
        return None, document.problems
    profile = fields.value
    assert profile is not None
    for name, merged in (
        (profile.templates_of, lambda own, base: replace(own, templates={**base.templates, **own.templates})),
        (profile.extends, Profile.over),
    ):
        if not name:
            continue
        shipped = shipped_profiles()
        if name not in shipped:
            hint = near_miss(name, shipped, priced=False) or f"; shipped: {one_of(tuple(shipped))}"
            message = f"{quoted(name)} is not a shipped profile{hint}"
            return None, (Problem(fields.place, kinds.NO_SUCH_PROFILE, message),)
        base, problems = load_profile(name)
        if base is None:
            return None, problems
        profile = merged(profile, base)
    return profile.completed(), ()
