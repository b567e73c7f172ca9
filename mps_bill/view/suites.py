"""Suites of passed and failed cases, as CI servers list tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A test case. `failure` is its kind, message and details; None: it passed. `line` 0: none."""

    name: str
    line: int = 0
    failure: tuple[str, str, str] | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file."""

    file: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Suites:
    """What a command ran."""

    name: str
    suites: tuple[Suite, ...]
