"""Editors agree with the loader: an independent validator accepts every shipped sheet and sample, and refuses mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mps_bill.cli import run
from mps_bill.cli.schema import DOCUMENTS, document_of
from mps_bill.documents.read_document import read_text
from tests.conftest import ROOT
from tests.invalid.gallery import GALLERY, GOOD

MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
COMMITTED = {
    "price-sheet": ROOT / "pricing" / "price-sheet.schema.json",
    "price-cases": ROOT / "pricing" / "price-cases.schema.json",
}


def schema_of(name: str) -> dict[str, Any]:
    return document_of(name).schema()


def format_of(document: dict[str, Any]) -> str:
    """Return the format of a document by its first key; empty if it is not one of ours."""
    words = str(document.get("format", "")).split("/")
    return words[1] if words[0] == "mps-bill" and words[1] in DOCUMENTS else ""


SHIPPED = sorted((ROOT / "pricing").glob("*.yaml"))


def documents() -> list[Path]:
    """Return every YAML document of the repository that declares one of the formats and should have no mistakes."""
    found = [*SHIPPED, GOOD]
    for folder in ("pricing/packs", "samples", "tests/pricing", "mps_bill"):
        found += sorted((ROOT / folder).rglob("*.yaml"))
    return [path for path in found if format_of(loaded(path, yaml.BaseLoader))]


def loaded(path: Path, loader: type[Any]) -> dict[str, Any]:
    return parsed(path.read_text(encoding="utf-8"), loader)


def parsed(text: str, loader: type[Any]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(text, Loader=loader)
    return document


class EditorLoader(yaml.SafeLoader):
    """Reads YAML 1.2 as editors do: numbers are numbers, times are text. Keys are text, as in JSON."""

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
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\.(inf|Inf|INF)$"), list("-+."))
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


@pytest.mark.parametrize("described", COMMITTED)
def test_the_committed_schema_is_up_to_date(described: str, request: pytest.FixtureRequest) -> None:
    text = json.dumps(schema_of(described), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--rewrite-golden"):
        COMMITTED[described].write_text(text)
    assert COMMITTED[described].read_text() == text


@pytest.mark.parametrize("described", DOCUMENTS)
def test_schemas_are_schemas(described: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(described))


@pytest.mark.parametrize("loader", [yaml.BaseLoader, EditorLoader])
@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_sheets_and_samples_are_valid(path: Path, loader: type[Any]) -> None:
    document = loaded(path, loader)
    validator = jsonschema.Draft202012Validator(schema_of(format_of(document)))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_name_their_schema(path: Path) -> None:
    modeline = MODELINE.match(path.read_text(encoding="utf-8"))
    assert modeline
    described = format_of(loaded(path, yaml.BaseLoader))
    assert (path.parent / modeline[1]).resolve() == COMMITTED[described]


def test_the_schema_refuses_what_it_can_see() -> None:
    """The schema refuses all mistakes in single values and in structure; rules between values are left to the loader."""
    validator = jsonschema.Draft202012Validator(schema_of("price-sheet"))
    codes = [
        *(f"P{number}" for number in (121, 122, 123, 124, 126, 127)),
        *(f"P{number}" for number in range(201, 229)),
    ]
    taken = {
        path.stem
        for path in sorted(GALLERY.glob("P*.yaml"))
        if path.name.partition("-")[0] in codes and validator.is_valid(loaded(path, yaml.BaseLoader))
    }
    assert taken == set()


#: A document of every format with every number that a schema has a rule for.
WHOLE = {
    "price-sheet": GOOD.read_text(encoding="utf-8"),
    "price-cases": """\
format: mps-bill/price-cases/1
cases:
  - name: 2023
    usage: [{region: cn-shanghai, item: transcoding, spec: H264.HD, quantity: 10, unit: minute}]
    expect:
      list_amount: 0.651
      rounding_adjustment: -0.001
      payable: 0.65
      issued_at: [2023-11-10T13:00:00+08:00]
      lines: [{item: transcoding, quantity: 10, unit_price: 0.0651, amount: 0.651}]
""",
    "account": """\
format: mps-bill/account/1
id: 10001
currency: CNY
balance: 1000.00
credit_line: 50
resource_plans:
  - id: rp-1
    name: 2023
    unit: minute
    total: 5000
    remaining: 4999.999999
    effective_from: 2023-11-01T10:30:30+08:00
    expires_at: 2024-05-01T00:00:00+08:00
    covers: {transcoding: {H264.LD: 1, H264.SD: 1.5}}
vouchers:
  - id: v-1
    face_value: 50
    remaining: 49.35
    effective_from: 2023-11-01T00:00:00+08:00
    expires_at: 2024-05-01T00:00:00+08:00
    minimum_amount: 0
top_ups: [{at: 2023-11-10T12:30:00+08:00, amount: 500, arrived: true}]
credit_used: 0.01
outstanding_months:
  - {product: mps, from: 2023-11-01T00:00:00+08:00, issued_after: 3600, amounts: "0=0.65 1=0.70"}
frozen: [{product: mps, month: 2023-11, items: {transcoding: 0.0651}}]
month_used: [{product: mps, month: 2023-11, item: review, spec: porn, region: cn-shanghai, used: 123.5}]
charged: [{product: mps, day: 2023-11-10, digests: [11-1234567890]}]
charged_months: [{product: mps, month: 2023-11, hours: x1f}]
""",
    "packs": """\
format: mps-bill/packs/1
id: some
site: china
product: mps
currency: CNY
packs:
  some:
    name: Some packs
    unit: minute
    valid_for: 6 months
    covers: {transcoding: {H264.LD: 1}}
    sizes: {5000: 87, 20000: 304.5}
    sources: [{url: "https://x", read_on: 2023-11-10, covers: prices}]
""",
    "profile": """\
format: mps-bill/profile/1
id: jobs
name: Jobs
columns:
  job_id: Id
  width: {field: W, absent: [0], default: 1920}
  quantity: {constant: 12}
""",
    "bill-mapping": """\
format: mps-bill/bill-mapping/1
id: ours
products: {mps: [24, media processing]}
regions: {Shanghai: cn-shanghai, Delivery: CN}
units: {min: minute}
items: {Segmentation: {item: transmuxing, spec: Segmentation}}
""",
    "config": """\
prices: [mps-china]
account: account.yaml
set: {tag_year: 2023}
format: json
timezone: '+08:00'
by: [day]
books:
  balance: Assets:1123-Prepaid
  items: {transcoding: Expenses:Video}
  opening: false
""",
}
#: The numbers with bounds in each format: their keys, and whether zero is refused.
BOUNDED = {
    "price-sheet": [
        ("billing.rounding.places", False), ("items.*.metering.step", True), ("items.*.metering.minimum", True),
        ("items.*.prices_from.times", True), ("items.*.prices.*.*", False), ("items.*.prices.*.*.up_to.*", False),
    ],
    "price-cases": [("cases.*.expect." + key, False) for key in ("list_amount", "payable")]
    + [("cases.*.expect.lines.*." + key, False) for key in ("quantity", "unit_price", "amount")],
    "account": [
        ("balance", False), ("credit_line", False), ("credit_used", False), ("resource_plans.*.total", False),
        ("resource_plans.*.remaining", False), ("resource_plans.*.covers.*.*", True), ("vouchers.*.face_value", False),
        ("vouchers.*.remaining", False), ("vouchers.*.minimum_amount", False), ("top_ups.*.amount", False),
        ("outstanding_months.*.issued_after", False), ("frozen.*.items.*", False), ("month_used.*.used", False),
    ],
    "packs": [("packs.*.sizes.*", True)],
}  # fmt: skip


def places_of(node: Any, keys: list[str]) -> list[tuple[Any, Any]]:
    """Return the collections and keys at a path of keys; `*` is every key."""
    if not isinstance(node, dict | list):
        return []
    every = list(node) if isinstance(node, dict) else list(range(len(node)))
    found = every if keys[0] == "*" else [key for key in every if key == keys[0]]
    if len(keys) == 1:
        return [(node, key) for key in found if not isinstance(node[key], dict | list)]
    return [place for key in found for place in places_of(node[key], keys[1:])]


@pytest.mark.parametrize("loader", [yaml.BaseLoader, EditorLoader])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_whole_document_is_valid_for_editors_and_for_the_loader(name: str, loader: type[Any]) -> None:
    errors = jsonschema.Draft202012Validator(schema_of(name)).iter_errors(parsed(WHOLE[name], loader))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    assert read_text(document_of(name), WHOLE[name], "f").problems == ()


@pytest.mark.parametrize(
    ("name", "path", "above_zero"), [(name, *one) for name, some in BOUNDED.items() for one in some]
)
def test_a_bad_number_is_refused(name: str, path: str, above_zero: bool) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    places = places_of(parsed(WHOLE[name], EditorLoader), path.split("."))
    assert places
    for bad in (
        -1,
        -0.5,
        float("inf"),
        10**110,
        "-1",
        ".inf",
        "1e3",
        "+1",
        *((0, 0.0, "0", "0.0", "0.") if above_zero else ()),
    ):
        document = parsed(WHOLE[name], EditorLoader)
        for node, key in places_of(document, path.split(".")):
            node[key] = bad
        assert not validator.is_valid(document), f"{path}: {bad}"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("price-sheet", "billing.rounding.places"),
        ("account", "outstanding_months.*.issued_after"),
        ("bill-mapping", "items.*.item"),
    ],
)
def test_a_whole_number_has_no_fraction(name: str, path: str) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    for bad in (0.5, 1.23, 12.5):
        document = parsed(WHOLE[name], EditorLoader)
        places = places_of(document, path.split("."))
        assert places
        for node, key in places:
            node[key] = bad
        assert not validator.is_valid(document), f"{path}: {bad}"


def test_the_seconds_until_a_bill_is_issued_have_a_maximum() -> None:
    document = parsed(WHOLE["account"], EditorLoader)
    ((months, key),) = places_of(document, ["outstanding_months", "*", "issued_after"])
    months[key] = 10**13
    assert not jsonschema.Draft202012Validator(schema_of("account")).is_valid(document)


@pytest.mark.parametrize(("name", "path"), [("price-cases", "cases.*.expect"), ("profile", "columns")])
def test_a_mapping_that_needs_one_of_its_keys_is_refused_without_any(name: str, path: str) -> None:
    document = parsed(WHOLE[name], EditorLoader)
    keys = path.split(".")
    for one in document.get(keys[0], ()) if len(keys) > 1 else ():
        one[keys[-1]] = {}
    if len(keys) == 1:
        del document[path]
    assert not jsonschema.Draft202012Validator(schema_of(name)).is_valid(document)


@pytest.mark.parametrize("up_to", [{"10": 1, "20": 2}, {"rest": 1}, {"0": 1, "rest": 2}, {"-1": 1, "rest": 2}])
def test_a_tier_table_ends_with_rest_after_a_bound(up_to: dict[str, Any]) -> None:
    tiers = {"tiers": "volume", "per": "month", "up_to": {"10": 1, "rest": 2}}
    schema = schema_of("price-sheet")["properties"]["items"]["additionalProperties"]["properties"]["prices"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"porn": {"*": tiers}})
    assert not validator.is_valid({"porn": {"*": {**tiers, "up_to": up_to}}})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_has_its_schema_under_both_commands(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["schema", name], ["prices", "schema", name]):
        assert run(words) == 0
        assert json.loads(capfd.readouterr().out) == schema_of(name)


def test_former_and_unknown_names(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "schema", "cases"]) == 0
    assert json.loads(capfd.readouterr().out) == schema_of("price-cases")
    assert run(["prices", "schema"]) == 0
    assert json.loads(capfd.readouterr().out) == schema_of("price-sheet")
    assert run(["schema", "acount"]) == 2
    assert 'did you mean "account"?' in " ".join(capfd.readouterr().err.split())
