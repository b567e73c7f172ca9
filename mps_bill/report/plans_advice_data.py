"""Advice on resource packs for programs: JSON, format `mps-bill/plans-advice/1`, and CSV."""

from __future__ import annotations

import csv
import dataclasses
from typing import IO, Any

from mps_bill.ask.advise.advice import Advice
from mps_bill.ask.advise.packs import Pack, PackType
from mps_bill.ask.advise.simulate import Outcome
from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import iso
from mps_bill.core.units import in_unit
from mps_bill.report.bill_csv import spreadsheet_text
from mps_bill.report.bill_json import amounts_json
from mps_bill.report.document import Row
from mps_bill.report.plans_advice import assumptions, units_text

FORMAT = "mps-bill/plans-advice/1"
COLUMNS = (
    "row",
    "type",
    "count",
    "size",
    "unit",
    "price",
    "covered_quantity",
    "used_units",
    "unused_units",
    "covered_list_amount",
    "payable_without",
    "payable_with",
    "cost_with",
    "saving",
    "break_even_units",
    "bought_at",
    "expires_at",
    "currency",
)


def advice_json(advice: Advice) -> dict[str, Any]:
    """The whole advice for a script; quantities and amounts are strings."""
    best = advice.found.best
    return {
        "format": FORMAT,
        "currency": advice.currency,
        "packs": advice.packs.id,
        "bought_at": None if advice.bought_at is None else iso(advice.bought_at, advice.offset),
        "control_totals": dataclasses.asdict(advice.control_totals),
        "without": amounts_json(advice.now),
        "types": [_type_json(advice, type_) for type_ in advice.packs.types],
        "single": [_outcome_json(outcome) for outcome in advice.outcomes],
        "best": {
            **_outcome_json(best),
            "proven": not advice.found.gap,
            "possible_further_saving": stripped(advice.found.gap),
        },
        "reach": [
            {
                "item": one.item,
                "spec": one.spec,
                "unit": one.unit.name,
                "quantity": plain(in_unit(one.micros, one.unit)),
                "coverable": plain(in_unit(one.coverable, one.unit)),
                "covered_by_best": plain(in_unit(one.covered, one.unit)),
            }
            for one in advice.reach
        ],
        "assumptions": assumptions(advice),
    }


def _type_json(advice: Advice, type_: PackType) -> dict[str, Any]:
    expires = None if advice.bought_at is None else iso(advice.expires_at(type_), advice.offset)
    return {
        "type": type_.id,
        "name": type_.name,
        "unit": type_.unit.name,
        "valid_for": str(type_.valid_for),
        "expires_at": expires,
        "sources": [dataclasses.asdict(source) for source in type_.sources],
    }


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "packs": [
            {
                "type": pack.type.id,
                "size": units_text(pack.units),
                "count": count,
                "price": stripped(pack.price * count),
                "unused_units": units_text(outcome.unused(pack, count)),
                "covers": [
                    {
                        "item": cover.item,
                        "spec": cover.spec,
                        "quantity": plain(in_unit(cover.micros, pack.type.unit)),
                        "units": units_text(cover.units),
                    }
                    for cover in outcome.covers
                    if cover.pack is pack
                ],
            }
            for pack, count in outcome.purchase
        ],
        "price": stripped(outcome.price),
        "with": amounts_json(outcome.amounts),
        "covered_list_amount": stripped(outcome.worth),
        "cost": stripped(outcome.cost),
        "saving": stripped(outcome.saving),
        "break_even_units": outcome.break_even_units,
    }


def write_advice_csv(stream: IO[str], advice: Advice) -> None:
    """Writes RFC 4180 rows with `\\r\\n` line ends: a row `single` for so many packs of one size; of the best combination a
    row `best_part` for each size, and one row `best` for all of it."""
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for outcome in advice.outcomes:
        ((pack, count),) = outcome.purchase
        units = outcome.break_even_units
        money = (*_money_cells(advice, outcome), "" if units is None else str(units))
        writer.writerow(("single", *_csv_pack(advice, outcome, pack, count, money)))
    best = advice.found.best
    for pack, count in best.purchase:
        writer.writerow(("best_part", *_csv_pack(advice, best, pack, count, ("",) * 6)))
    bought = "" if advice.bought_at is None else iso(advice.bought_at, advice.offset)
    money = (*_money_cells(advice, best), "")
    writer.writerow(("best", "", "", "", "", stripped(best.price), "", "", "", *money, bought, "", advice.currency))


def _csv_pack(advice: Advice, outcome: Outcome, pack: Pack, count: int, money: Row) -> Row:
    used = sum(cover.units for cover in outcome.covers if cover.pack is pack)
    times = () if advice.bought_at is None else (advice.bought_at, advice.expires_at(pack.type))
    return (
        spreadsheet_text(pack.type.id),
        str(count),
        units_text(pack.units),
        pack.type.unit.name,
        stripped(pack.price * count),
        plain(in_unit(outcome.covered(pack), pack.type.unit)),
        units_text(used),
        units_text(outcome.unused(pack, count)),
        *money,
        *([iso(second, advice.offset) for second in times] or ("", "")),
        advice.currency,
    )


def _money_cells(advice: Advice, outcome: Outcome) -> Row:
    """From `covered_list_amount` to `saving`."""
    return (
        stripped(outcome.worth),
        stripped(advice.now.payable),
        stripped(outcome.amounts.payable),
        stripped(outcome.cost),
        stripped(outcome.saving),
    )
