"""The charts of a run for a terminal, a pipe or a file: horizontal bars with their amounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from mps_bill.core.decimals import amount_text
from mps_bill.core.diagnostics import printable, width_of
from mps_bill.core.language import tr
from mps_bill.render.folding import folded, shortened
from mps_bill.render.table_layout import fraction_of, safe
from mps_bill.render.terminal import BOLD, CYAN, can_print, has_styles, styled, width_for
from mps_bill.view.tables import Report, Series

#: Wide enough to compare bars, narrow enough to read; a pipe has no width of its own.
_WIDTH_OF_A_PIPE = 80
_NARROWEST_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def write(report: Report, stream: IO[str]) -> None:
    """Print every chart as bars, then the notes, in the terminal's width, in `COLUMNS`, or in 80 columns."""
    width, fine = width_for(stream, _WIDTH_OF_A_PIPE), can_print(stream, _EIGHTHS)
    bold, cyan = (BOLD, CYAN) if has_styles(stream) and not os.environ.get("NO_COLOR") else ("", "")
    for one in report.charts:
        title = tr("{title}, {currency}", title=one.title, currency=report.currency)
        stream.writelines(f"{styled(line, bold)}\n" for line in folded(safe(title), width))
        stream.write("\n")
        if not one.bars:
            stream.write(f"{tr('Nothing was billed.')}\n")
        for label, bar, amount in bar_rows(one, width, fine=fine):
            stream.write(f"{label}  {styled(bar, cyan)}  {amount}".rstrip() + "\n")
        stream.write("\n")
    for note in report.notes:
        stream.writelines(f"{line}\n" for line in folded(safe(note), width))


def bar_rows(series: Series, width: int, *, fine: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the label, bar and amount of each bar, padded to line up within `width` cells.

    Labels are shortened to make room for bars, and both for amounts, because a shortened figure is a wrong figure. `fine` bars
    are drawn to an eighth of a cell, others with `#`.
    """
    labels = [printable(bar.label) for bar in series.bars]
    amounts = [amount_text(bar.amount) for bar in series.bars]
    fraction = max((len(fraction_of(amount)) for amount in amounts), default=0)
    amounts = [amount + " " * (fraction - len(fraction_of(amount))) for amount in amounts]
    of_amount = max(map(len, amounts), default=0)
    of_label = max(map(width_of, labels), default=0)
    of_label = max(_NARROWEST_BAR, min(of_label, width - of_amount - 4 - max(_NARROWEST_BAR, width // 4)))
    of_bar = max(_NARROWEST_BAR, width - of_label - of_amount - 4)
    for bar, label, amount in zip(series.bars, labels, amounts, strict=True):
        drawn = _drawn(series.share(bar), of_bar, fine=fine)
        short = shortened(label, of_label, "…" if fine else ".")
        yield short + " " * (of_label - width_of(short)), drawn.ljust(of_bar), amount.rjust(of_amount)


def _drawn(share: float, width: int, *, fine: bool) -> str:
    """Draw a bar for a share from 0 to 1; any share above 0 is visible."""
    steps = len(_EIGHTHS) - 1 if fine else 1
    whole, rest = divmod(max(round(share * width * steps), 1 if share > 0 else 0), steps)
    return (_EIGHTHS[-1] if fine else "#") * whole + (_EIGHTHS[rest] if rest else "")
