"""One definition reads documents, collects every problem, and yields the schema for editors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import pytest

from mps_bill.core.diagnostics import Kind
from mps_bill.documents.fields import Entry, Field, Fields, Located, Many, optional
from mps_bill.documents.read_document import Document, read_text
from mps_bill.documents.shapes import Either, ListOf, MapOf, Object, Record
from mps_bill.documents.values import Choice, decimal_pattern, number, word, words

BAD = Kind("P128", "bad-value")
MONEY = number("an amount", BAD, 2)
WORD = word("a word", "[a-z]+", BAD, "small letters")
AMOUNT = Field("amount", MONEY, "what was paid")
ORDER = Field("order", Choice("an order", words("earliest-expiry", "largest-balance")), required=False)
AT = Field("at", WORD, required=False)
REGIONS = Field("regions", ListOf("the regions", WORD, unique=True), required=False)
COVERS = Field("covers", MapOf("the covered items", WORD, MapOf("a table", WORD, MONEY)), required=False)
LIMIT: Field[Located[Decimal] | Fields] = Field(
    "limit", Either(MONEY, Record("a limit", (AMOUNT,)), "a limit"), required=False
)
CARD = Field("card", WORD, required=False)
CASH = Field("cash", WORD, required=False)
ACCOUNT = Record("an account", (AMOUNT, ORDER, AT, REGIONS, COVERS, LIMIT, CARD, CASH), one_of=("card", "cash"))
DOCUMENT = Document("account", ACCOUNT, Kind("X101", "unreadable"))


def _read(text: str) -> tuple[Fields | None, list[str]]:
    document = read_text(DOCUMENT, text, "f")
    found = [f"{at.place.line}:{at.place.column} {at.kind.slug}: {at.message}" for at in document.problems]
    return document.fields, found


def test_values_come_with_their_places() -> None:
    fields, problems = _read(
        "amount: 1.50\norder: largest-balance\nregions: [a, b]\ncovers: {x: {p: 1}}\nlimit: {amount: 3}\ncash: yes\n"
    )
    assert problems == []
    assert fields is not None
    amount, order, regions, covers = (fields.get(AMOUNT), fields.get(ORDER), fields.get(REGIONS), fields.get(COVERS))
    assert amount is not None
    assert str(amount.value) == "1.50"
    assert str(amount.place) == "f:1:9"
    assert order is not None
    assert order.value == "largest-balance"
    assert regions is not None
    assert [region.value for region in regions.parts] == ["a", "b"]
    assert covers is not None
    inner = covers.parts[0].value
    assert isinstance(inner, Many)
    assert isinstance(inner.parts[0], Entry)
    limit = fields.get(LIMIT)
    assert isinstance(limit, Fields)
    assert str(limit.place) == "f:5:1"
    assert fields.get(AT) is None
    assert not fields.has(AT)
    assert not fields.wrong(AT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cash: x\n", ['1:1 missing-key: missing key "amount" in account: what was paid']),
        ("amount: 1\n", ["1:1 missing-key: missing key in account; expected card or cash"]),
        (
            "amount: 1\ncash: x\ncard: y\n",
            ['3:1 conflicting-keys: an account has "cash" and "card"; keep one of the two'],
        ),
        ("amonut: 1\ncash: x\n", ['1:1 unknown-key: unknown key "amonut" in account; did you mean "amount"?']),
        (
            "amount: 1\ncash: x\nzzz: 1\n",
            [
                '3:1 unknown-key: unknown key "zzz" in account; expected one of amount, order, at, regions, covers, limit, card'
                " or cash"
            ],
        ),
        ("amount:\ncash: x\n", ["1:1 empty-value: no value; expected an amount"]),
        ("amount: [1]\ncash: x\n", ["1:9 wrong-structure: an amount must be a single value, not a list"]),
        (
            "amount: 1\ncash: x\nregions: a\n",
            ['3:10 wrong-structure: the regions must be a list, not "a"'],
        ),
        ("amount: 1\ncash: x\nregions:\n", ["3:1 empty-value: no value; expected the regions"]),
        ("amount: 1\ncash: x\nregions: []\n", ["3:1 empty-collection: the regions must not be empty"]),
        (
            "amount: 1\ncash: x\nregions: [a, b, a]\n",
            ['3:17 duplicate-entry: duplicate "a" in the regions; first defined at line 3, column 11'],
        ),
        ("amount: 1\ncash: x\ncovers: {}\n", ["3:1 empty-collection: the covered items must not be empty"]),
        (
            "amount: 1\ncash: x\nlimit: [1]\n",
            ["3:8 wrong-structure: a limit must be a single value or a mapping, not a list"],
        ),
        ("amount: 1\ncash: 9\n", ['2:7 bad-value: "9" is not a word; write small letters']),
        (
            "amount: 1\ncash: x\norder: earlist-expiry\n",
            ['3:8 unknown-word: unknown order "earlist-expiry"; did you mean "earliest-expiry"?'],
        ),
        (
            "amount: 1\ncash: x\norder: first\n",
            ['3:8 unknown-word: unknown order "first"; expected earliest-expiry or largest-balance'],
        ),
        (
            "amount: 1.005\ncash: x\n",
            ['1:9 bad-value: "1.005" has 3 decimal places; at most 2 are allowed'],
        ),
    ],
)
def test_each_mistake_is_one_problem(text: str, expected: list[str]) -> None:
    assert _read(text)[1] == expected


def test_right_values_are_returned_along_with_mistakes() -> None:
    fields, problems = _read("amount: x\ncash: ok\ncovers: {x: {p: 1, 9: 2, q: z}, y: 3}\nregions: [a, 9]\n")
    assert len(problems) == 5
    assert fields is not None
    assert fields.wrong(AMOUNT)
    covers = fields.get(COVERS)
    assert covers is not None
    assert [(entry.key.value, entry.value is None) for entry in covers.parts] == [("x", False), ("y", True)]
    table = covers.parts[0].value
    assert table is not None
    assert [(entry.key.value, entry.value and entry.value.value) for entry in table.parts] == [("p", 1), ("q", None)]
    assert not table.whole
    assert table.left_out == {"9"}
    regions = fields.get(REGIONS)
    assert regions is not None
    assert not regions.whole


def test_a_problem_of_form_is_not_reported_twice() -> None:
    _, problems = _read("amount: *x\n<<: {cash: a}\n")
    assert [problem.split(":")[1].split()[1] for problem in problems] == ["alias", "merge-key"]


def test_schema() -> None:
    schema = DOCUMENT.schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["amount"]
    assert schema["additionalProperties"] is False
    assert schema["oneOf"] == [{"required": ["card"]}, {"required": ["cash"]}]
    properties = schema["properties"]
    assert properties["amount"] == {
        "description": "what was paid",
        "type": ["string", "number"],
        "pattern": f"^(?:{decimal_pattern(2)})$",
        "minimum": 0,
        "exclusiveMaximum": 10**12,
    }
    assert properties["order"] == {"enum": ["earliest-expiry", "largest-balance"]}
    assert properties["regions"] == {
        "type": "array",
        "items": {"type": "string", "pattern": "^(?:[a-z]+)$"},
        "minItems": 1,
        "uniqueItems": True,
    }
    assert properties["covers"]["propertyNames"] == {"pattern": "^(?:[a-z]+)$"}
    assert properties["covers"]["minProperties"] == 1
    assert [part["type"] for part in properties["limit"]["anyOf"]] == [["string", "number"], "object"]
    assert re.compile(properties["amount"]["pattern"]).search("1.50")


@dataclass(frozen=True)
class _Purse:
    amount: Decimal
    at: str = "home"
    owner: str | None = "nobody"


@pytest.mark.parametrize(
    ("text", "at", "owner"),
    [("amount: 1", "home", None), ("amount: 1\nat: work", "work", None), ("amount: 1\nowner: me", "home", "me")],
)
def test_an_absent_key_has_the_default_of_its_field_or_of_the_made_value(text: str, at: str, owner: str) -> None:
    keys = (AMOUNT, optional("at", WORD), optional("owner", WORD, default=None))
    purse = Object("a purse", keys, make=_Purse)
    made = read_text(Document("a purse", purse, BAD), text, "purse.yaml")
    assert not made.problems
    assert made.fields is not None
    assert made.fields.value == _Purse(Decimal(1), at, owner)
