"""Exact, explainable bills for ApsaraVideo Media Processing.

    from mps_bill import bill, load_prices

    print(bill("usage.csv", load_prices("mps-china")).payable)

The public names are described in docs/python.md. Everything else may change.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mps_bill.api import (
        Account,
        BillResult,
        InputRejected,
        PriceBook,
        Problem,
        SettleResult,
        bill,
        load_account,
        load_prices,
        settle,
    )

__version__ = "0.1.0"
__all__ = [
    "Account",
    "BillResult",
    "InputRejected",
    "PriceBook",
    "Problem",
    "SettleResult",
    "bill",
    "load_account",
    "load_prices",
    "settle",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use, because the command line needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mps_bill import api

    return getattr(api, name)
