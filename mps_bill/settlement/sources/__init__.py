"""Every payment source, each a file that says all about it: its names, its entries in an account file, what it takes of a
bill and what is left of it. They pay in this order."""

from __future__ import annotations

from mps_bill.settlement.sources.balance import Balance
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.settlement.sources.payment_source import MoneySource, PaymentSource
from mps_bill.settlement.sources.resource_plans import ResourcePlans
from mps_bill.settlement.sources.stored_value_cards import StoredValueCards
from mps_bill.settlement.sources.vouchers import Vouchers

#: Resource plans take quantity before prices apply; all others pay what is due.
SOURCES: tuple[type[PaymentSource], ...] = (ResourcePlans, Vouchers, StoredValueCards, Balance, CreditLine)
MONEY_SOURCES: tuple[type[MoneySource], ...] = tuple(one for one in SOURCES if issubclass(one, MoneySource))
#: What a top-up adds to sources, by their names, in the order in which they take it in.
TAKEN_IN = {one.name: one.taken_in for one in reversed(SOURCES) if one.taken_in}
