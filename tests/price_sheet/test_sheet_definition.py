"""The schema for editors agrees with the loader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mps_bill.documents.shapes import Either, ListOf, MapOf, Record
from mps_bill.documents.values import Choice, Text
from mps_bill.price_sheet.regions import KNOWN, looks_like_region
from mps_bill.price_sheet.sheet_definition import DOCUMENT, PRICE_SHEET


def _texts(shape: Any) -> Iterator[Text[Any]]:
    match shape:
        case Text():
            yield shape
        case Record():
            for field in shape.fields:
                yield from _texts(field.shape)
        case MapOf():
            yield from _texts(shape.key)
            yield from _texts(shape.value)
        case ListOf():
            yield from _texts(shape.part)
        case Either():
            yield from _texts(shape.scalar)
            yield from _texts(shape.mapping)
        case Choice():
            return


TEXTS = list(_texts(PRICE_SHEET))


@given(st.data())
def test_texts_that_the_loader_accepts_match_the_pattern(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    value = data.draw(st.one_of(st.from_regex(text.pattern, fullmatch=True), st.text(max_size=12)))
    try:
        text.parse(value)
    except ValueError:
        return
    # The region of a price may be any text here; whether it is known depends on the sheet.
    assert re.fullmatch(text.pattern, value) or text.name == "a region or group"


def test_schema_is_json_and_knows_the_keys() -> None:
    schema = json.loads(json.dumps(DOCUMENT.schema()))
    assert schema["$schema"].endswith("2020-12/schema")
    assert set(schema["required"]) == {
        "format",
        "id",
        "site",
        "product",
        "currency",
        "effective_from",
        "billing",
        "items",
    }
    item = schema["properties"]["items"]["additionalProperties"]
    assert item["required"] == ["name", "family", "unit"]
    assert item["oneOf"] == [{"required": ["prices"]}, {"required": ["prices_from"]}]
    assert all(field["description"] for field in item["properties"].values())


def test_known_regions_look_like_regions() -> None:
    assert all(looks_like_region(region) for region in KNOWN)
    assert not looks_like_region("hongkong_us_europe")
    assert not looks_like_region("mainland")
