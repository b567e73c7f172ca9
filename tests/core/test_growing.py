"""A sequence that grows is a value, as a tuple is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.growing import Growing


@given(st.lists(st.integers(0, 2)), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2)), max_size=20))
def test_it_equals_a_tuple_however_it_grows(start: list[int], steps: list[tuple[int, int]]) -> None:
    """Each step makes another sequence of one of those there are, and none of them ever changes."""
    pairs = [(Growing(start), tuple(start))]
    for number, item in steps:
        grown, expected = pairs[number % len(pairs)]
        pairs.append((grown.plus(item), (*expected, item)))
    for grown, expected in pairs:
        assert grown == expected
        assert expected == grown
        assert (list(grown), len(grown), list(grown[1:])) == (list(expected), len(expected), list(expected[1:]))
        assert [grown[-n] for n in range(1, len(grown) + 1)] == list(reversed(expected))
        assert grown != (*expected, 0)


def test_growing_does_not_copy() -> None:
    shorter = Growing(range(1000))
    assert shorter.plus(1)._items is shorter._items
