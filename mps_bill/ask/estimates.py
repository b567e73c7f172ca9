"""A price without usage files: hypothetical records go through the same stages as the records of a bill."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass

from mps_bill.core.decimals import EXACT, parse_plain_decimal
from mps_bill.core.diagnostics import InputRejected, Place, Problem
from mps_bill.core.times import iso
from mps_bill.core.units import QUANTITY_PLACES, one_name, to_micros
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.assign import Assignment, assign
from mps_bill.metering.groups import Group
from mps_bill.metering.records import Layout, RecordReader, UsageRecord, ValueProblem
from mps_bill.metering.scheme import MeteringScheme, record_micros, scheme_for
from mps_bill.metering.usage_columns import UsageKey
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, cycles, make_bill
from mps_bill.rating.lines import LineItem, gather, month_key

#: The columns of a hypothetical record, with their names on the command line.
_ASKED = {
    "job_id": "",
    "completed_at": "--at",
    "region": "--region",
    "item": "ITEM",
    "spec": "SPEC",
    "codec": "--codec",
    "width": "--width",
    "height": "--height",
    "quantity": "QUANTITY",
    "unit": "UNIT",
}
_LAYOUT = Layout(tuple(_ASKED), {name: number for number, name in enumerate(_ASKED)})


@dataclass(frozen=True, slots=True)
class Question:
    """`count` equal records of `quantity` in `unit` (singular or plural) that complete at the second `at`. Absent text is empty.

    `month_used` is the quantity used earlier in the month in the item's unit, for prices with monthly tiers.
    """

    item: str
    spec: str
    quantity: str
    unit: str
    at: int
    codec: str = ""
    width: str = ""
    height: str = ""
    count: int = 1
    month_used: str = "0"


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a question in one region. `record_micros` is the quantity of one record after its metering rule, and
    `used_micros` the quantity used earlier in the month; `bill` contains only these records."""

    key: UsageKey
    record: UsageRecord
    assignment: Assignment
    record_micros: int
    used_micros: int
    bill: Bill

    @property
    def lines(self) -> tuple[LineItem, ...]:
        return self.bill.lines


def estimate(question: Question, regions: Sequence[str], book: PriceBook) -> tuple[Estimate, ...]:
    """Return the price of the question in each region.

    Raises:
        InputRejected: a bill would refuse such a record; with every reason, placed at the argument that causes it.
    """
    scheme = scheme_for(book)
    found = [_in_region(question, region, book, scheme) for region in dict.fromkeys(regions)]
    problems = [problem for one in found if not isinstance(one, Estimate) for problem in one]
    if problems:
        raise InputRejected(problems)
    return tuple(one for one in found if isinstance(one, Estimate))


def _in_region(question: Question, region: str, book: PriceBook, scheme: MeteringScheme) -> Estimate | list[Problem]:
    # People copy quantities from results, where units are in the plural. In usage files they are always in the singular.
    unit = one_name(question.unit)
    values = {"job_id": "estimate", "completed_at": iso(question.at, 0), "region": region, "unit": unit}
    fields = [values[name] if name in values else getattr(question, name) for name in _LAYOUT.names]
    record = RecordReader(_LAYOUT, scheme).read(fields)
    if isinstance(record, tuple):
        return _problems(record)
    key = record.features.key(record.slot(scheme))
    assignment = assign(key, book, scheme)
    if isinstance(assignment, tuple):
        return _problems(assignment)
    try:
        used = to_micros(parse_plain_decimal(question.month_used, places=QUANTITY_PLACES), assignment.item.unit)
    except ValueError as error:
        return [Problem(Place("--month-used"), kinds.BAD_QUANTITY, str(error))]

    one = record_micros(assignment.item, key.unit, record.micros)
    with decimal.localcontext(EXACT):
        (cycle,) = cycles(gather([Group(key, assignment, question.count, one * question.count)], book), book)
        bill, _ = make_bill(cycle, (0,), {month_key(cycle.charges[0]): used})
    return Estimate(key, record, assignment, one, used, bill)


def _problems(found: Sequence[ValueProblem]) -> list[Problem]:
    return [Problem(Place(_ASKED[trouble.column]), trouble.kind, trouble.message) for trouble in found]
