"""All payment sources, in the order in which they pay. Each has a file that says everything about it: its names, its entries in
an account file, what it takes of a bill and what is left of it."""

from __future__ import annotations

from mps_bill.settlement.sources.balance import Balance
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.settlement.sources.payment_source import MoneySource, PaymentSource, QuantitySource
from mps_bill.settlement.sources.resource_plans import ResourcePlans
from mps_bill.settlement.sources.stored_value_cards import StoredValueCards
from mps_bill.settlement.sources.vouchers import Vouchers

#: Sources of quantity cover usage before prices apply; sources of money pay what is due.
SOURCES: tuple[type[PaymentSource], ...] = (ResourcePlans, Vouchers, StoredValueCards, Balance, CreditLine)
MONEY_SOURCES: tuple[type[MoneySource], ...] = tuple(one for one in SOURCES if issubclass(one, MoneySource))
QUANTITY_SOURCES: tuple[type[QuantitySource], ...] = tuple(one for one in SOURCES if issubclass(one, QuantitySource))
#: What a top-up adds to sources, by their names, in the order in which they take it in.
TAKEN_IN = {one.name: one.taken_in for one in reversed(SOURCES) if one.taken_in}
