"""Documents as JSON: what the standard library would write, whole and in pieces."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mps_bill.render import json as written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, min_size=1, max_size=4)


def by_the_library(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


@given(DOCUMENTS)
def test_a_document_is_written_as_the_library_would(document: dict[str, Any]) -> None:
    stream = io.StringIO()
    written.write(document, stream)
    assert stream.getvalue() == by_the_library(document)


@given(st.lists(DOCUMENTS, max_size=3), VALUES)
def test_a_document_in_pieces_is_the_whole_document(listed: list[dict[str, Any]], value: Any) -> None:
    stream = io.StringIO()
    written.begin({"format": "x"}, "accounts", stream)
    for number, document in enumerate(listed):
        written.add(document, stream, first=number == 0)
    written.end({"total": value}, stream, empty=not listed)
    assert stream.getvalue() == by_the_library({"format": "x", "accounts": listed, "total": value})
