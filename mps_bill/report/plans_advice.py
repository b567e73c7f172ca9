"""Advice on resource packs as a document."""

from __future__ import annotations

from collections.abc import Iterator

from mps_bill.ask.advise.advice import MOST_OF_A_PACK, Advice
from mps_bill.ask.advise.packs import Pack
from mps_bill.ask.advise.simulate import Outcome
from mps_bill.core.decimals import amount_text, plain, scaled
from mps_bill.core.times import clock, offset_text
from mps_bill.core.units import QUANTITY_PLACES, in_unit
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.document import Document, Heading, Note, Row, Table, number, text


def advice_document(advice: Advice) -> Document:
    """Every pack by itself, the best combination, what is in reach of the packs, and what all of it goes by."""
    if not advice.cycles:
        nothing = Note("There is no usage to cover, so there is nothing to advise.")
        return Document((nothing, Note(control_totals_text(advice.control_totals))))
    blocks: list[Table | Note] = [_pack_table(advice)]
    best = advice.found.best
    if best.purchase:
        blocks.append(_best_table(advice))
    blocks.append(Note(_verdict(advice)))
    if advice.reach:
        blocks.append(_reach_table(advice))
    blocks.append(Note("\n".join(["Assumptions:", *(f"- {said}" for said in assumptions(advice))])))
    blocks.append(Note(control_totals_text(advice.control_totals)))
    return Document(tuple(blocks))


def _pack_table(advice: Advice) -> Table:
    columns = (
        text("Packs"),
        number("Price"),
        number("Covers"),
        number("Unused"),
        number("Cost"),
        number(f"Saving {advice.currency}"),
        number("Break-even"),
    )
    rows: list[Row | Heading] = []
    for type_ in advice.packs.types:
        rows.append(Heading(f"{type_.id}: {type_.name}, per {type_.unit.name}"))
        for outcome in advice.outcomes:
            ((pack, count),) = outcome.purchase
            if pack.type is type_:
                units = outcome.break_even_units
                rows.append(
                    (
                        *_pack_cells(outcome, pack, count),
                        amount_text(outcome.cost),
                        amount_text(outcome.saving),
                        "" if units is None else str(units),
                    )
                )
    nothing = ("No packs", "", "", "", amount_text(advice.now.payable), "", "")
    return Table("Packs of one size", columns, tuple(rows), (nothing,))


def _pack_cells(outcome: Outcome, pack: Pack, count: int) -> Row:
    """Packs, price, covered quantity in the packs' unit, plan units left."""
    return (
        f"  {count} x {units_text(pack.units)}",
        amount_text(pack.price * count),
        plain(in_unit(outcome.covered(pack), pack.type.unit)),
        units_text(outcome.unused(pack, count)),
    )


def units_text(millionths: int) -> str:
    return plain(scaled(millionths, QUANTITY_PLACES))


def _best_table(advice: Advice) -> Table:
    best = advice.found.best
    rows: list[Row | Heading] = []
    for type_ in advice.packs.types:
        own = [(pack, count) for pack, count in best.purchase if pack.type is type_]
        if own:
            rows.append(Heading(f"{type_.id}: {type_.name}"))
            rows += [_pack_cells(best, pack, count) for pack, count in own]
    totals = (
        ("Packs", amount_text(best.price), "", ""),
        ("Bills with these packs", amount_text(best.amounts.payable), "", ""),
        ("Bills without", amount_text(advice.now.payable), "", ""),
        ("Saving", amount_text(best.saving), "", ""),
    )
    columns = (text("Packs"), number(advice.currency), number("Covers"), number("Unused"))
    return Table("The best combination", columns, tuple(rows), totals)


def _verdict(advice: Advice) -> str:
    found = advice.found
    if found.gap:
        said = (
            f"The search ended after {found.settled} settled combinations: another could save up to"
            f" {amount_text(found.gap)} {advice.currency} more"
        )
        return f"{said} than this one." if found.best.purchase else f"{said} than buying nothing."
    if found.best.purchase:
        return "No other combination of these packs, in any number, saves more over this usage."
    return "Buy none of them for this usage: every combination of these packs, in any number, costs at least what it saves."


def _reach_table(advice: Advice) -> Table:
    rows = tuple(
        (
            one.item,
            one.spec,
            *(plain(in_unit(micros, one.unit)) for micros in (one.micros, one.coverable, one.covered)),
            one.unit.name,
        )
        for one in advice.reach
    )
    columns = (
        text("Item"),
        text("Spec"),
        number("Used"),
        number("In reach of packs"),
        number("Best covers"),
        text("Unit"),
    )
    return Table("What packs can cover", columns, rows)


def assumptions(advice: Advice) -> list[str]:
    """What the advice goes by, sentence by sentence."""
    said = list(_about_time(advice))
    sheets = ", ".join(dict.fromkeys(cycle.sheet.ref for cycle in advice.cycles)) or "none, for there is no usage"
    said.append(f"Packs: {advice.packs.id}. Price sheets: {sheets}. Tax and discounts of your own are not in them.")
    said.append(
        "Every combination is settled with its packs as resource plans, which are used before anything else, the one that"
        f" expires first before the others. {_held(advice)}"
    )
    said.append(
        "Costs are payable: every bill is cut to money by itself. Vouchers, cards and balance change who pays, not what"
        " is saved, and are left out."
    )
    said.append(
        "Covers is the quantity covered, Unused what is left of the packs, in their own unit. Break-even is how much of the"
        " packs must be used, at the mix that they cover here, until the list amount covered is their price."
    )
    said.append(
        "Of each size as many are listed as cover more than one less, and cost less than one larger pack of as many units"
        f" (at most {MOST_OF_A_PACK}). The best combination is sought among all numbers of all sizes."
    )
    for type_ in advice.packs.types:
        regions = "every region" if type_.regions is None else f"{', '.join(sorted(type_.regions))} only"
        covers = "; ".join(
            f"{item} {', '.join(f'{spec} at {plain(rate)}' for spec, rate in specs.items())}"
            for item, specs in type_.covers.items()
        )
        until = "" if advice.bought_at is None else f", until {clock(advice.expires_at(type_), advice.offset)}"
        said.append(f"{type_.id} covers {covers}; in {regions}; for {type_.valid_for}{until}.")
        said += [f"{type_.id}: {note}." for note in type_.notes]
        said += [f"{type_.id}: on no price sheet of the run, so not counted: {word}." for word in type_.unknown]
        for source in type_.sources:
            product = f", of {source.product}" if source.product else ""
            said.append(f"{type_.id}: read on {source.read_on}{product}, {source.url}, {source.covers}.")
    late = advice.control_totals.rows_late
    if late:
        rows = "1 row is of a cycle" if late == 1 else f"{late} rows are of cycles"
        said.append(f"{rows} that the account has settled, and left out.")
    return said


def _about_time(advice: Advice) -> Iterator[str]:
    if advice.bought_at is None:
        yield "There is no usage, so nothing is covered."
        return
    start = min((cycle.start for cycle in advice.cycles), default=advice.bought_at)
    end = max((cycle.end for cycle in advice.cycles), default=advice.bought_at)
    expiries = [advice.expires_at(type_) for type_ in advice.packs.types]
    first, last, bought = (clock(second, advice.offset) for second in (start, end, advice.bought_at))
    yield (
        f"Exact over this usage, {first} to {last} (UTC{offset_text(advice.offset)}), and no forecast: what is used"
        " at another time is not in it."
    )
    before = " What was used in cycles before it is paid for as it is." if start < advice.bought_at else ""
    yield f"All packs are bought at once, at {bought}, and hold from the cycle of that moment.{before}"
    if min(expiries) < end:
        expiry = clock(min(expiries), advice.offset)
        yield (
            f"They are bought once. What is used after they expire ({expiry} at the earliest) is paid for as it is; ask again"
            " with --from for the purchase that follows."
        )
    if max(expiries) > end:
        yield (
            f"The usage ends on {last}, before packs expire ({clock(max(expiries), advice.offset)} at the latest): what is"
            " unused then is lost only as far as nothing more is used."
        )


def _held(advice: Advice) -> str:
    if not advice.held:
        return "There are no other plans."
    plans = "The plan of the account is" if advice.held == 1 else f"The {advice.held} plans of the account are"
    return f"{plans} there with and without packs."
