"""Control totals as text and as JSON."""

from __future__ import annotations

from mps_bill.metering.usage import ControlTotals


def control_totals_text(totals: ControlTotals) -> str:
    """One line that adds up: `Rows: 9 read = 6 billed + 1 not billable + ...`."""
    parts = (
        f"{totals.rows_billed} billed",
        f"{totals.rows_not_billable} not billable",
        f"{totals.rows_duplicate} duplicate",
        f"{totals.rows_rejected} rejected",
        f"{totals.rows_late} late",
        f"{totals.rows_pending} pending",
    )
    return f"Rows: {totals.rows_read} read = {' + '.join(parts)}"
