"""What holds in every test: no float near money, the same examples in every run, and the flag that rewrites goldens."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "suite",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="Write what the golden cases print as expected.")


@pytest.fixture(autouse=True)
def no_float_near_decimals() -> Iterator[None]:
    """Every mix of a float with a Decimal raises: in the test's own context, and in those of threads that it starts."""
    before = decimal.DefaultContext.traps[decimal.FloatOperation]
    decimal.DefaultContext.traps[decimal.FloatOperation] = True
    with decimal.localcontext() as context:
        context.traps[decimal.FloatOperation] = True
        yield
    decimal.DefaultContext.traps[decimal.FloatOperation] = before


@pytest.fixture
def root() -> Path:
    """The folder of the repository."""
    return ROOT
