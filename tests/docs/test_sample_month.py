"""The sample month is what its generator makes."""

from __future__ import annotations

import gzip

from tests.docs.sample_month import FILE, JOBS, text


def test_the_packed_month_is_what_the_seed_makes() -> None:
    packed = gzip.decompress(FILE.read_bytes()).decode()
    assert packed == text()
    assert packed.count("\n") == JOBS + 1
    assert FILE.stat().st_size < 100_000
