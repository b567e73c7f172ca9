"""Advice on resource packs: packs of each size alone, the best combination, and the usage that packs could cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from mps_bill.ask.advise.advice import MAX_OF_A_PACK, Advice, Reach
from mps_bill.ask.advise.packs import Pack, PackType, Validity
from mps_bill.ask.advise.simulate import Outcome
from mps_bill.core.decimals import amount_text, plain, scaled
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text, offset_text, time_text
from mps_bill.core.units import QUANTITY_PLACES, in_unit
from mps_bill.view.columns import Column, Moment, Quantity, Record, attributes, columns_of, moment, pick, select
from mps_bill.view.reading_report import control_totals_text
from mps_bill.view.tables import Block, Heading, Note, Records, Table, table

FORMAT = "mps-bill/plans-advice/1"
#: A number of packs of one size, or a whole purchase, made by `_pack_record` and `_outcome_record`.
PACKS = (
    *columns_of("row", "type"),
    Column("count", "count"),
    Column("size", "quantity"),
    Column("unit"),
    Column("price", "amount"),
    Column("covered_quantity", "quantity", "Covers"),
    Column("used_units", "quantity", "Used"),
    Column("unused_units", "quantity", "Unused"),
    Column("covered_list_amount", "amount"),
    Column("payable_without", "amount", "Bills without"),
    Column("payable_with", "amount", "Bills with"),
    Column("cost_with", "amount", "Cost"),
    Column("saving", "amount"),
    Column("break_even_units", "count", "Break-even"),
    Column("bought_at", "time", "Bought"),
    Column("expires_at", "time", "Expires"),
    Column("currency"),
)
#: The usage of an item and spec that packs can cover, made by `_reach_record`.
REACH = (
    *columns_of("item", "spec"),
    Column("quantity", "quantity", "Used"),
    *columns_of("coverable", "covered_by_best", kind="quantity"),
    Column("unit"),
)


@dataclass(frozen=True, slots=True)
class AdviceView:
    """The result of `plans advise`."""

    advice: Advice

    def printed(self) -> Iterator[Block]:
        advice = self.advice
        if advice.cycles:
            yield _pack_table(advice)
            if advice.found.best.purchase:
                yield _best_table(advice)
            yield Note(_verdict(advice))
            if advice.reach:
                yield table(tr("What packs can cover"), REACH, map(_reach_record, advice.reach))
            yield Note("\n".join([tr("Assumptions:"), *(f"- {sentence}" for sentence in self.assumptions)]))
        else:
            yield Note(tr("There is no usage that packs could cover, so there is nothing to advise."))
        yield Note(control_totals_text(advice.control_totals))

    def records(self) -> Records:
        """Return a row `single` for each number of packs of one size, then the best combination: a row `best_part` for each
        size and a row `best` for the whole."""
        return Records(PACKS, self._records())

    def _records(self) -> Iterator[Record]:
        advice, best = self.advice, self.advice.found.best
        for outcome in advice.outcomes:
            ((pack, count),) = outcome.purchase
            money = _outcome_record(advice, outcome)
            yield {"row": "single", **money, **_pack_record(advice, outcome, pack, count)}
        for pack, count in best.purchase:
            yield {"row": "best_part", **_pack_record(advice, best, pack, count)}
        yield {"row": "best", **_outcome_record(advice, best), "break_even_units": None}

    def document(self) -> dict[str, Any]:
        """Return the whole advice."""
        advice, best = self.advice, self.advice.found.best
        return {
            "format": FORMAT,
            "currency": advice.currency,
            "packs": advice.packs.id,
            "bought_at": moment(advice.bought_at, advice.offset),
            "control_totals": asdict(advice.control_totals),
            "without": advice.now.figures(discounted=bool(advice.now.discount)),
            "types": [
                {
                    "type": type_.id,
                    "name": type_.name,
                    "unit": type_.unit.name,
                    "valid_for": str(type_.valid_for),
                    "expires_at": _expires(advice, type_),
                    "sources": [asdict(source) for source in type_.sources],
                }
                for type_ in advice.packs.types
            ],
            "single": [_outcome_json(advice, outcome) for outcome in advice.outcomes],
            "best": {
                **_outcome_json(advice, best),
                "proven": not advice.found.gap,
                "possible_further_saving": advice.found.gap,
            },
            "reach": list(map(_reach_record, advice.reach)),
            "assumptions": self.assumptions,
        }

    @property
    def assumptions(self) -> list[str]:
        """The assumptions of the advice, one sentence each."""
        advice = self.advice
        sentences = list(_about_time(advice))
        sheets = ", ".join(dict.fromkeys(cycle.sheet.ref for cycle in advice.cycles))
        sheets = sheets or tr("none, because there is no usage")
        about = mark("Packs: {packs}. Price sheets: {sheets}. Taxes and your own discounts are not included.")
        sentences += [
            tr(about, packs=advice.packs.id, sheets=sheets),
            tr(
                "Every combination is settled with its packs as resource plans, which pay before all other sources, earliest"
                " expiry first. {other_plans}",
                other_plans=_held(advice),
            ),
            tr(
                "Costs are payable amounts: each bill is rounded to money separately. Vouchers, cards and balance change who"
                " pays, not what is saved, and are left out."
            ),
            tr(
                "Covers: the quantity that the packs pay for. Unused: the rest, in the packs' unit. Break-even: the use, with"
                " this mix, at which the packs save as much as they cost."
            ),
            tr(
                "Of each size, up to {maximum} packs are listed, as long as each further pack covers more and no single larger"
                " pack offers the same units for the same price or less. The best combination is chosen from all sizes in any"
                " number.",
                maximum=MAX_OF_A_PACK,
            ),
        ]
        for type_ in advice.packs.types:
            sentences += _about_packs(type_, advice)
        late = advice.control_totals.rows_late
        if late:
            settled = tr_many(
                "{n} row belongs to a cycle that the account has settled, and is left out.",
                "{n} rows belong to cycles that the account has settled, and are left out.",
                late,
            )
            sentences.append(settled)
        return sentences


def _pack_record(advice: Advice, outcome: Outcome, pack: Pack, count: int) -> Record:
    used = sum(cover.units for cover in outcome.covers if cover.pack is pack)
    return {
        "type": pack.type.id,
        "count": count,
        "size": scaled(pack.units, QUANTITY_PLACES),
        "unit": tr(pack.type.unit.name),
        "price": pack.price * count,
        "covered_quantity": in_unit(outcome.covered(pack), pack.type.unit),
        "used_units": scaled(used, QUANTITY_PLACES),
        "unused_units": scaled(outcome.unused(pack, count), QUANTITY_PLACES),
        "bought_at": moment(advice.bought_at, advice.offset),
        "expires_at": _expires(advice, pack.type),
        "currency": advice.currency,
    }


def _outcome_record(advice: Advice, outcome: Outcome) -> Record:
    return {
        "price": outcome.price,
        "covered_list_amount": outcome.covered_list_amount,
        "payable_without": advice.now.payable,
        "payable_with": outcome.amounts.payable,
        "cost_with": outcome.cost,
        "saving": outcome.saving,
        "break_even_units": outcome.break_even_units,
        "bought_at": moment(advice.bought_at, advice.offset),
        "currency": advice.currency,
    }


def _pack_table(advice: Advice) -> Table:
    titles = {"type": "Packs"}
    keys = ("type", "price", "covered_quantity", "unused_units", "cost_with", "saving", "break_even_units")
    columns = tuple(
        replace(column, unit=advice.currency) if column.key == "saving" else column
        for column in pick(PACKS, *keys, titles=titles)
    )
    rows: list[Record | Heading] = []
    for type_ in advice.packs.types:
        heading = mark("{code}: {name}, per {unit}")
        rows.append(Heading(tr(heading, code=type_.id, name=type_.name, unit=tr(type_.unit.name))))
        for outcome in advice.outcomes:
            ((pack, count),) = outcome.purchase
            if pack.type is type_:
                record = {**_outcome_record(advice, outcome), **_pack_record(advice, outcome, pack, count)}
                rows.append(_named(record))
    nothing: Record = {"type": tr("No packs"), "cost_with": advice.now.payable}
    return table(tr("Packs of one size"), columns, rows, [nothing])


def _named(record: Record) -> Record:
    """Name the packs by number and size, indented below the heading of their type."""
    return {**record, "type": f"  {record['count']} x {record['size']:f}"}


def _best_table(advice: Advice) -> Table:
    best = advice.found.best
    titles = {"type": "Packs", "price": advice.currency}
    columns = pick(PACKS, "type", "price", "covered_quantity", "unused_units", titles=titles)
    rows: list[Record | Heading] = []
    for type_ in advice.packs.types:
        own = [(pack, count) for pack, count in best.purchase if pack.type is type_]
        if own:
            rows.append(Heading(tr("{name}: {value}", name=type_.id, value=type_.name)))
            rows += [_named(_pack_record(advice, best, *bought)) for bought in own]
    totals = (
        (tr("Packs"), best.price),
        (tr("Bills with these packs"), best.amounts.payable),
        (tr("Bills without"), advice.now.payable),
        (tr("Saving"), best.saving),
    )
    last: list[Record] = [{"type": name, "price": amount} for name, amount in totals]
    return table(tr("The best combination"), columns, rows, last)


def _reach_record(one: Reach) -> Record:
    return {
        "item": one.item,
        "spec": one.spec,
        "unit": tr(one.unit.name),
        "quantity": in_unit(one.micros, one.unit),
        "coverable": in_unit(one.coverable, one.unit),
        "covered_by_best": in_unit(one.covered, one.unit),
    }


def _verdict(advice: Advice) -> str:
    found = advice.found
    if found.gap:
        this = mark(
            "The search ended after {n} settled combinations: another could save up to {amount} {currency} more than this one."
        )
        nothing = mark(
            "The search ended after {n} settled combinations: another could save up to {amount} {currency} more than buying"
            " nothing."
        )
        text = this if found.best.purchase else nothing
        return tr(text, n=found.settled, amount=amount_text(found.gap), currency=advice.currency)
    if found.best.purchase:
        return tr("No other combination of these packs, in any number, saves more on this usage.")
    return tr(
        "Buy none of them for this usage: every combination of these packs, in any number, costs at least as much as it saves."
    )


def _length(valid_for: Validity) -> str:
    if valid_for.unit == "day":
        return tr_many("{n} day", "{n} days", valid_for.count)
    return tr_many("{n} month", "{n} months", valid_for.count)


def _about_packs(type_: PackType, advice: Advice) -> Iterator[str]:
    regions = tr("every region")
    if type_.regions is not None:
        regions = tr("{regions} only", regions=", ".join(sorted(type_.regions)))
    covers = tr("; ").join(
        f"{item} {', '.join(tr('{spec} at {rate}', spec=spec, rate=plain(rate)) for spec, rate in specs.items())}"
        for item, specs in type_.covers.items()
    )
    until = ""
    if advice.bought_at is not None:
        until = tr(", until {time}", time=time_text(advice.expires_at(type_), advice.offset))
    text = mark("{type} covers {covers}; in {regions}; for {time}{until}.")
    yield tr(text, type=type_.id, covers=covers, regions=regions, time=_length(type_.valid_for), until=until)
    for note in type_.notes:
        yield f"{type_.id}: {note}."
    for word in type_.unknown:
        yield tr("{type}: in no price sheet of this run, so not counted: {word}.", type=type_.id, word=word)
    for source in type_.sources:
        text = mark("{type}: read on {day}{product}, {url}, {covers}.")
        product = tr(", of {product}", product=source.product) if source.product else ""
        day = date_text(source.read_on)
        yield tr(text, type=type_.id, day=day, product=product, url=source.url, covers=source.covers)


def _about_time(advice: Advice) -> Iterator[str]:
    if advice.bought_at is None:
        yield tr("There is no usage, so nothing is covered.")
        return
    start = min((cycle.start for cycle in advice.cycles), default=advice.bought_at)
    end = max((cycle.end for cycle in advice.cycles), default=advice.bought_at)
    expiries = [advice.expires_at(type_) for type_ in advice.packs.types]
    first, last, bought = (time_text(second, advice.offset) for second in (start, end, advice.bought_at))
    yield tr(
        "Exact for this usage, {start} to {end} (UTC{offset}); this is not a forecast of other usage.",
        start=first,
        end=last,
        offset=offset_text(advice.offset),
    )
    before = tr(" Usage before that is paid without them.") if start < advice.bought_at else ""
    yield tr("All packs are bought at {time} and are valid from then on.{before}", time=bought, before=before)
    if min(expiries) < end:
        yield tr(
            "They are bought once. Usage after they expire ({time} at the earliest) is paid without them; for the next purchase"
            " run this again with --from.",
            time=time_text(min(expiries), advice.offset),
        )
    if max(expiries) > end:
        yield tr(
            "The usage ends on {end}, before packs expire ({time} at the latest): the unused rest is lost unless later usage"
            " takes it.",
            end=last,
            time=time_text(max(expiries), advice.offset),
        )


def _held(advice: Advice) -> str:
    if not advice.held:
        return tr("There are no other plans.")
    return tr_many(
        "The account's plan is included both with and without packs.",
        "The account's {n} plans are included both with and without packs.",
        advice.held,
    )


def _expires(advice: Advice, type_: PackType) -> Moment | None:
    return None if advice.bought_at is None else Moment(advice.expires_at(type_), advice.offset)


def _outcome_json(advice: Advice, outcome: Outcome) -> dict[str, Any]:
    return {
        "packs": [
            {
                **select(_pack_record(advice, outcome, pack, count), "type", "size", "count", "price", "unused_units"),
                "covers": [
                    {
                        "item": cover.item,
                        "spec": cover.spec,
                        "quantity": Quantity(cover.micros, pack.type.unit),
                        "units": scaled(cover.units, QUANTITY_PLACES),
                    }
                    for cover in outcome.covers
                    if cover.pack is pack
                ],
            }
            for pack, count in outcome.purchase
        ],
        "price": outcome.price,
        "with": outcome.amounts.figures(discounted=bool(advice.now.discount)),
        **attributes(outcome, "covered_list_amount", "cost", "saving", "break_even_units"),
    }
