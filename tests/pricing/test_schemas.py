"""Editors see what the loader sees: an independent validator takes every shipped sheet and sample, and refuses mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mps_bill.cli.prices.schema import Described, schema_of
from tests.conftest import ROOT
from tests.invalid.gallery import GALLERY, GOOD

MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
COMMITTED = {
    Described.price_sheet: ROOT / "pricing" / "price-sheet.schema.json",
    Described.cases: ROOT / "pricing" / "price-cases.schema.json",
}
OF_FORMAT = {
    "mps-bill/price-sheet/1": Described.price_sheet,
    "mps-bill/price-cases/1": Described.cases,
    "mps-bill/account/1": Described.account,
}
SHIPPED = sorted((ROOT / "pricing").glob("*.yaml"))


def documents() -> list[Path]:
    """Every YAML document of the repository that declares one of the formats and is meant to be right."""
    found = [*SHIPPED, GOOD]
    for folder in ("samples", "tests/pricing"):
        found += sorted((ROOT / folder).rglob("*.yaml"))
    return [path for path in found if loaded(path, yaml.BaseLoader).get("format") in OF_FORMAT]


def loaded(path: Path, loader: type[Any]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return document


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: numbers are numbers, times are text. Keys are text, as in JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(("timestamp", "int", "float", "bool"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, _deep: bool = False) -> dict[Any, Any]:
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


EditorLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
EditorLoader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


@pytest.mark.parametrize("described", COMMITTED)
def test_the_committed_schema_is_up_to_date(described: Described, request: pytest.FixtureRequest) -> None:
    text = json.dumps(schema_of(described), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--rewrite-golden"):
        COMMITTED[described].write_text(text)
    assert COMMITTED[described].read_text() == text


@pytest.mark.parametrize("described", Described)
def test_schemas_are_schemas(described: Described) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(described))


@pytest.mark.parametrize("loader", [yaml.BaseLoader, EditorLoader])
@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_sheets_and_samples_are_valid(path: Path, loader: type[Any]) -> None:
    document = loaded(path, loader)
    validator = jsonschema.Draft202012Validator(schema_of(OF_FORMAT[document["format"]]))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_name_their_schema(path: Path) -> None:
    modeline = MODELINE.match(path.read_text(encoding="utf-8"))
    assert modeline
    described = OF_FORMAT[loaded(path, yaml.BaseLoader)["format"]]
    assert (path.parent / modeline[1]).resolve() == COMMITTED[described]


def test_the_schema_refuses_what_it_can_see() -> None:
    """Of the mistakes of single values and of structure the schema sees all; what relates values it leaves to the loader."""
    validator = jsonschema.Draft202012Validator(schema_of(Described.price_sheet))
    codes = [
        *(f"P{number}" for number in (121, 122, 123, 124, 126, 127)),
        *(f"P{number}" for number in range(201, 229)),
    ]
    taken = {
        path.stem
        for path in sorted(GALLERY.glob("P*.yaml"))
        if path.name.partition("-")[0] in codes and validator.is_valid(loaded(path, yaml.BaseLoader))
    }
    # Bounds and factors of zero, and group names that look like regions, are plain decimals and words to a pattern.
    assert taken == {"P212-bad-quantity", "P216-bad-group-name"}
