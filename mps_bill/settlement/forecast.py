"""When plans, vouchers, cards, balance and credit line run out if usage goes on as in the last days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from mps_bill.core.decimals import ZERO, divide, scaled
from mps_bill.core.times import DAY
from mps_bill.core.units import MICROS, QUANTITY_PLACES
from mps_bill.settlement.account import MONEY_PLACES, Account
from mps_bill.settlement.closing import used_up
from mps_bill.settlement.settle import Settled

#: Later than this nobody plans, and calendars end.
_HORIZON = 100 * 365 * DAY


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """`left` of a source at the forecast's start, how much goes in a day, and when the last of it goes.

    `runs_out` is None where that is never, or more than a hundred years away. Of a source that was used up inside the run
    it is when the bill that took the last of it was issued.
    """

    source: str
    unit: str
    left: Decimal
    a_day: Decimal
    runs_out: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was assumed (usage goes on as from `start` to `end`) and what follows, source by source.

    It begins at the time that the account has reached, which is later than `end`: what is left runs out after that.
    """

    start: int
    end: int
    rows: tuple[ForecastRow, ...]


#: When sources were used up, by kind and id.
_Times = Mapping[tuple[str, str], int]


class _Pot(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def effective_from(self) -> int: ...
    @property
    def expires_at(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Rate:
    """How fast something goes, per second: `now`, and how much faster from given times on."""

    now: Fraction
    rises: tuple[tuple[Fraction, Fraction], ...] = ()

    def gone(self, left: Fraction, since: Fraction) -> Fraction | None:
        """When `left` is gone that is used from `since` on; None where it never is."""
        rate = self.now + sum(more for time, more in self.rises if time <= since)
        for time, more in sorted(rise for rise in self.rises if rise[0] > since):
            if rate and since + left / rate <= time:
                break
            left -= rate * (time - since)
            since, rate = time, rate + more
        return since + left / rate if rate else None


def forecast(settled: Settled, days: int) -> Forecast | None:
    """The forecast from the bills of the last `days` days of the run, or of all its time where that is shorter.

    Plans of one unit are used one after the other. Money goes at the rate of what was payable, and when the plans of a
    unit have run out also of what they covered, at list price: first from vouchers, as if each could pay any bill, then
    from cards, balance and credit line. None where the run settled no bill.
    """
    bills = [settlement for settlement in settled.settlements if settlement.bill.cycle.correction_at is None]
    now = settled.until
    if not bills or now is None:
        return None
    end = max(settlement.bill.cycle.end for settlement in bills)
    start = max(end - days * DAY, min(settlement.bill.cycle.start for settlement in bills))
    window = [settlement for settlement in bills if settlement.bill.cycle.start >= start]
    span = end - start
    units: dict[str, int] = {}
    worth: dict[str, Decimal] = {}
    for settlement in window:
        for deduction, number in zip(settlement.plan_deductions, settlement.plan_lines, strict=True):
            unit, line = deduction.plan.unit.name, settlement.bill.lines[number]
            units[unit] = units.get(unit, 0) + deduction.units
            worth[unit] = worth.get(unit, ZERO) + line.listed(deduction.micros)
    rows: list[ForecastRow] = []
    rises: list[tuple[Fraction, Fraction]] = []
    times = used_up(settled)
    for unit in dict.fromkeys(plan.unit.name for plan in settled.closing.plans):
        plans = [plan for plan in settled.closing.plans if plan.unit.name == unit and plan.expires_at > now]
        rate = Fraction(units.get(unit, 0), span)
        out = _runs_out(((plan, Fraction(plan.remaining)) for plan in plans), _Rate(rate), Fraction(now))
        left = scaled(sum(plan.remaining for plan in plans), QUANTITY_PLACES)
        gone = None if left else _used_up("resource_plan", plans, times)
        rows.append(ForecastRow("resource_plan", unit, left, _a_day(rate / MICROS), gone or _moment(out, now)))
        if out is not None:
            rises.append((out, Fraction(worth.get(unit, ZERO)) / span))
    payable = sum((settlement.bill.amounts.payable for settlement in window), ZERO)
    rows += _money_rows(settled.closing, _Rate(Fraction(payable) / span, tuple(rises)), now, times)
    return Forecast(start, end, tuple(rows))


def _money_rows(account: Account, rate: _Rate, now: int, times: _Times) -> Iterable[ForecastRow]:
    vouchers = [voucher for voucher in account.vouchers if voucher.expires_at > now]
    cards = [card for card in account.cards if card.expires_at > now]
    a_day = _a_day(rate.now + sum(more for time, more in rate.rises if time <= now))
    out: Fraction | None = Fraction(now)
    for name, pots in (("voucher", vouchers), ("stored_value_card", cards)):
        if pots:
            out = _runs_out(((pot, Fraction(pot.remaining)) for pot in pots), rate, out)
            left = sum((pot.remaining for pot in pots), ZERO)
            gone = None if left else _used_up(name, pots, times)
            yield ForecastRow(name, account.currency, left, a_day, gone or _moment(out, now))
    for name, left in (("balance", account.balance), ("credit_line", account.credit_left)):
        if name == "balance" or account.credit_line:
            out = None if out is None else rate.gone(Fraction(left), out)
            gone = times.get((name, ""))
            yield ForecastRow(name, account.currency, left, a_day, gone or _moment(out, now))


def _used_up(name: str, pots: Iterable[_Pot], times: _Times) -> int | None:
    """When the run took the last of empty pots; None where that was before the run."""
    return max((times[name, pot.id] for pot in pots if (name, pot.id) in times), default=None)


def _runs_out(pots: Iterable[tuple[_Pot, Fraction]], rate: _Rate, now: Fraction | None) -> Fraction | None:
    """When the pots are empty or expired, used one after the other by expiry; None where nothing is ever used."""
    if now is None or not (rate.now or rate.rises):
        return None
    for pot, left in sorted(pots, key=lambda pair: pair[0].expires_at):
        if pot.effective_from <= now < pot.expires_at:
            gone = rate.gone(left, now)
            now = Fraction(pot.expires_at) if gone is None else min(gone, Fraction(pot.expires_at))
    return now


def _moment(out: Fraction | None, now: int) -> int | None:
    return None if out is None or out > now + _HORIZON else int(out)


def _a_day(rate: Fraction) -> Decimal:
    """What goes in a day at a rate per second, for display, half up."""
    day = rate * DAY * 10**MONEY_PLACES
    return scaled(divide(day.numerator, day.denominator, "half-up"), MONEY_PLACES)
