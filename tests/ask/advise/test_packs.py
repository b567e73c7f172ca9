"""Validity on the calendar, and packs that a larger one outdoes."""

from __future__ import annotations

import pytest

from mps_bill.ask.advise.packs import Validity, is_outdone
from mps_bill.core.times import iso, parse_second
from tests.settlement.worlds import OFFSET, packs_of


@pytest.mark.parametrize(
    ("validity", "start", "end"),
    [
        (Validity(6, "month"), "2023-11-10T10:30:30+08:00", "2024-05-10T10:30:30+08:00"),
        (Validity(6, "month"), "2023-08-31T10:30:00+08:00", "2024-02-29T10:30:00+08:00"),
        (Validity(6, "month"), "2022-08-31T00:00:00+08:00", "2023-02-28T00:00:00+08:00"),
        (Validity(1, "month"), "2023-12-31T23:59:59+08:00", "2024-01-31T23:59:59+08:00"),
        (Validity(12, "month"), "2024-02-29T00:00:00+08:00", "2025-02-28T00:00:00+08:00"),
        # The month is that of the billing clock: in UTC it is still October.
        (Validity(1, "month"), "2023-10-31T20:00:00+00:00", "2023-12-01T04:00:00+08:00"),
        (Validity(365, "day"), "2023-11-10T10:30:30+08:00", "2024-11-09T10:30:30+08:00"),
    ],
)
def test_validity_runs_to_the_same_day_and_time(validity: Validity, start: str, end: str) -> None:
    assert iso(validity.end(parse_second(start), OFFSET), OFFSET) == end


def test_four_packs_of_5000_cost_more_than_one_of_20000() -> None:
    small, large = packs = packs_of({"5000": "87", "20000": "304"})
    assert [is_outdone(small, count, packs) for count in (1, 3, 4)] == [False, False, True]
    assert not is_outdone(large, 50, packs)


def test_a_pack_of_another_type_outdoes_nothing() -> None:
    packs = packs_of({"5000": "87"}) + packs_of({"20000": "1"}, id_="other")
    assert not is_outdone(packs[0], 4, packs)
