"""Finding and reading profiles: files, and those that come with the program, by id."""

from __future__ import annotations

from pathlib import Path

from mps_bill.core.diagnostics import Place, Problem, near_miss, one_of, quoted
from mps_bill.core.yaml_tree import decode
from mps_bill.profiles import kinds
from mps_bill.profiles.profile import Profile, read_profile

_SUFFIXES = (".yaml", ".yml")


def shipped_profiles() -> dict[str, Path]:
    """Id to file of every profile that comes with the program, by id."""
    return {path.stem: path for path in sorted(Path(__file__).with_name("shipped").glob("*.yaml"))}


def load_profile(name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile that `name` is, a file or the id of a shipped one; or None and every problem with it."""
    shipped = shipped_profiles()
    if name in shipped:
        path, shown = shipped[name], f"profiles/{name}.yaml"
    elif name.endswith(_SUFFIXES):
        path, shown = Path(name), name
    else:
        hint = near_miss(name, shipped) or f"; shipped: {one_of(tuple(shipped))}"
        message = f"{quoted(name)} is no shipped profile, and no file that ends in {one_of(_SUFFIXES)}{hint}"
        return None, (Problem(Place("--profile"), kinds.NO_SUCH_PROFILE, message),)
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"the profile cannot be read: {error.strerror or error}"
        return None, (Problem(Place(shown), kinds.NO_SUCH_PROFILE, message),)
    text, problems = decode(data, shown)
    return (None, problems) if text is None else read_profile(text, shown)
