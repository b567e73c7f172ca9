"""When the sources of an account run out if usage goes on as in the last days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import ZERO, divide, scaled
from mps_bill.core.times import DAY
from mps_bill.settlement.account import Account
from mps_bill.settlement.closing import Use, is_held, use_of_sources
from mps_bill.settlement.entries import MONEY_PLACES
from mps_bill.settlement.settle_cycles import Settled, Settlement
from mps_bill.settlement.sources.payment_source import Holding, MoneySource, QuantitySource

#: Nobody plans further ahead, and calendars end.
_HORIZON = 100 * 365 * DAY


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """The amount `left` of a source at the start of the forecast, its use per day, and when it `runs_out`.

    `runs_out` is None for never, or more than a hundred years away. For a source that was used up within the run it is the issue
    time of the bill that took the last of it.
    """

    source: str
    unit: str
    left: Decimal
    a_day: Decimal
    runs_out: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast by source, under the assumption that usage continues as from `start` to `end`.

    It begins at the time that the account has reached, which is after `end`.
    """

    start: int
    end: int
    rows: tuple[ForecastRow, ...]


_Uses = Mapping[tuple[str, str], Use]


@dataclass(frozen=True, slots=True)
class _Rate:
    """How fast something is used, per second: `now`, and how much faster from given times on."""

    now: Fraction
    rises: tuple[tuple[Fraction, Fraction], ...] = ()

    def at(self, second: Fraction) -> Fraction:
        """The rate at a time."""
        return self.now + sum(more for time, more in self.rises if time <= second)

    def gone(self, left: Fraction, since: Fraction) -> Fraction | None:
        """The time at which `left`, used from `since` on, is used up; None for never."""
        rate = self.at(since)
        for time, more in sorted(rise for rise in self.rises if rise[0] > since):
            if rate and since + left / rate <= time:
                break
            left -= rate * (time - since)
            since, rate = time, rate + more
        return since + left / rate if rate else None


def forecast(settled: Settled, days: int) -> Forecast | None:
    """Make a forecast from the bills of the last `days` days of the run, or of the whole run if that is shorter.

    Quantities of one unit are used one after another, source by source. Money goes at the rate of what was payable, and, when the
    quantities of a unit have run out, also of what they covered, at list price: from each source in turn, as if what is limited
    could pay any bill. None if the run settled no bill.
    """
    bills = [settlement for settlement in settled.settlements if settlement.bill.cycle.correction_at is None]
    now = settled.until
    if not bills or now is None:
        return None
    end = max(settlement.bill.cycle.end for settlement in bills)
    start = max(end - days * DAY, min(settlement.bill.cycle.start for settlement in bills))
    window = [settlement for settlement in bills if settlement.bill.cycle.start >= start]
    uses = use_of_sources(settled)
    quantities, rises = _quantity_rows(settled.closing, window, end - start, now, uses)
    payable = sum((settlement.bill.amounts.payable for settlement in window), ZERO)
    rate = _Rate(Fraction(payable) / (end - start), rises)
    return Forecast(start, end, (*quantities, *_money_rows(settled.closing, rate, now, uses)))


@dataclass(frozen=True, slots=True)
class _Flow:
    """What is used by the second from `since` on: `units`, which are worth `money` at list price."""

    since: Fraction
    units: Fraction
    money: Fraction


def _quantity_rows(
    account: Account, window: Iterable[Settlement], span: int, now: int, uses: _Uses
) -> tuple[list[ForecastRow], tuple[tuple[Fraction, Fraction], ...]]:
    """A row for each unit of each source of quantity, and how much faster money is used once the last of a unit has run out."""
    used = _covered(window)
    rows = []
    #: By unit, what the sources so far no longer cover, each from the time at which they have run out.
    uncovered: dict[str, list[_Flow]] = {}
    for source in account.sources:
        held = source.holdings() if isinstance(source, QuantitySource) else ()
        for unit in dict.fromkeys(one.unit for one in held if one.unit):
            parts = [one for one in held if one.unit == unit and not _expired(one, now)]
            before = uncovered.pop(unit, [])
            units, listed = used.get((source.name, unit), (ZERO, ZERO))
            own = _Flow(Fraction(now), Fraction(units) / span, Fraction(listed) / span)
            rate = _Rate(own.units, tuple((flow.since, flow.units) for flow in before))
            pause, out = _runs_out(parts, rate, own.since)
            rows.append(_row(source.name, unit, parts, _a_day(rate.at(own.since)), out, now, uses))
            if pause is not None:
                flows = (flow for flow in (own, *before) if flow.units)
                uncovered[unit] = [replace(flow, since=max(pause, flow.since)) for flow in flows]
    return rows, tuple((flow.since, flow.money) for flows in uncovered.values() for flow in flows)


def _covered(settlements: Iterable[Settlement]) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """The units taken from each source of quantity, by its name and the unit; and what they covered, at list price."""
    found: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for settlement in settlements:
        for taken, number in settlement.covers:
            key = taken.source.name, taken.unit.name
            units, listed = found.get(key, (ZERO, ZERO))
            found[key] = units + taken.taken, listed + settlement.bill.lines[number].listed(taken.micros)
    return found


def _money_rows(account: Account, rate: _Rate, now: int, uses: _Uses) -> Iterator[ForecastRow]:
    a_day = _a_day(rate.at(Fraction(now)))
    since: Fraction | None = Fraction(now)
    for source in account.sources:
        held = [one for one in source.holdings() if one.whole != 0 and not _expired(one, now)]
        taken = {one.id: uses.get((source.name, one.id), Use()).taken for one in held}
        held = [one for one in held if is_held(source.name, one.id, one.left, taken[one.id])]
        if held and isinstance(source, MoneySource):
            since, out = _runs_out(held, rate, since)
            yield _row(source.name, account.currency, held, a_day, out, now, uses)


def _row(
    source: str,
    unit: str,
    held: Sequence[Holding],
    a_day: Decimal,
    out: Fraction | None,
    now: int,
    uses: _Uses,
) -> ForecastRow:
    """Make a row. For holdings that are now empty, `runs_out` is when the run took the last of them, if it did."""
    left = sum((one.left for one in held), ZERO)
    times = [use.used_up_at for one in held if (use := uses.get((source, one.id))) and use.used_up_at is not None]
    gone = max(times, default=None) if not left else None
    runs_out = None if out is None or out > now + _HORIZON else int(out)
    return ForecastRow(source, unit, left, a_day, gone or runs_out)


def _expired(holding: Holding, now: int) -> bool:
    return holding.expires_at is not None and holding.expires_at <= now


def _runs_out(held: Iterable[Holding], rate: _Rate, now: Fraction | None) -> tuple[Fraction | None, Fraction | None]:
    """The first time at which there is nothing to use, and the time at which everything valid then is used up or expired.
    Holdings are used one after another by expiry; None for never. If nothing is valid yet, it waits for the first holding to
    begin, and something else is used until then."""
    if now is None or not (rate.now or rate.rises):
        return None, None
    left = sorted((one for one in held if one.left), key=lambda one: one.expires_at or 0)
    reached = max(now, min((Fraction(one.effective_from or 0) for one in left), default=now))
    waits = reached > now
    for one in left:
        if (one.effective_from or 0) <= reached and (one.expires_at is None or reached < one.expires_at):
            gone = rate.gone(Fraction(one.left), reached)
            ends = [end for end in (gone, one.expires_at) if end is not None]
            if not ends:
                return (now if waits else None), None
            reached = Fraction(min(ends))
    return (now if waits else reached), reached


def _a_day(rate: Fraction) -> Decimal:
    """The use per day at a rate per second, for display, rounded half up."""
    day = rate * DAY * 10**MONEY_PLACES
    return scaled(divide(day.numerator, day.denominator, "half-up"), MONEY_PLACES)
