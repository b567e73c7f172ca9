"""The plots of a run for a terminal, a pipe or a file: horizontal bars with their amounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from mps_bill.core.decimals import amount_text
from mps_bill.core.diagnostics import printable
from mps_bill.core.language import tr
from mps_bill.render.terminal import UNLIMITED, can_print
from mps_bill.view.tables import Report, Series

if TYPE_CHECKING:
    from rich.console import Console

#: Wide enough to compare bars, narrow enough to read; a pipe has no width of its own.
_WIDTH_OF_A_PIPE = 80
_NARROWEST_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def write(report: Report, stream: IO[str]) -> None:
    """Prints every chart as bars, then the notes: at the terminal's width, at `COLUMNS`, or at 80 columns."""
    from rich.constrain import Constrain
    from rich.text import Text

    console = _console_for(stream)
    width = console.width
    # Bars that cannot be made short enough stick out, because rich would shorten the amounts behind them.
    console.width = UNLIMITED
    fine = can_print(stream, _EIGHTHS)
    with console.capture() as capture:
        for one in report.charts:
            title = tr("{title}, {currency}", title=one.title, currency=report.currency)
            console.print(Constrain(Text(f"{title}\n", style="bold"), width))
            if not one.bars:
                console.print(tr("Nothing was billed."))
            for label, bar, amount in bar_rows(one, width, fine=fine):
                console.print(Text.assemble(label, "  ", (bar, "cyan"), "  ", amount))
            console.print()
        for note in report.notes:
            console.print(Constrain(Text(note), width))
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _console_for(stream: IO[str]) -> Console:
    """A console that writes text as it is: no markup, no emoji, no highlighting of what looks like a number."""
    from rich.console import Console

    chosen = os.environ.get("COLUMNS", "").isdigit()
    width = None if chosen or stream.isatty() else _WIDTH_OF_A_PIPE
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def bar_rows(series: Series, width: int, *, fine: bool) -> Iterator[tuple[str, str, str]]:
    """Label, bar and amount of each bar, padded so that they line up within `width` cells.

    Labels give way to the bars, and both to the amounts, because a figure that is shortened is a wrong figure. `fine` bars are
    drawn to an eighth of a cell; the others of `#`.
    """
    from rich.cells import cell_len, set_cell_size

    labels = [printable(bar.label) for bar in series.bars]
    amounts = [amount_text(bar.amount) for bar in series.bars]
    fraction = max((len(_fraction(amount)) for amount in amounts), default=0)
    amounts = [amount + " " * (fraction - len(_fraction(amount))) for amount in amounts]
    of_amount = max(map(len, amounts), default=0)
    of_label = max(map(cell_len, labels), default=0)
    of_label = max(_NARROWEST_BAR, min(of_label, width - of_amount - 4 - max(_NARROWEST_BAR, width // 4)))
    of_bar = max(_NARROWEST_BAR, width - of_label - of_amount - 4)
    for bar, label, amount in zip(series.bars, labels, amounts, strict=True):
        drawn = _drawn(series.share(bar), of_bar, fine=fine)
        cut = label if cell_len(label) <= of_label else set_cell_size(label, of_label - 1) + ("…" if fine else ".")
        yield set_cell_size(cut, of_label), drawn.ljust(of_bar), amount.rjust(of_amount)


def _drawn(share: float, width: int, *, fine: bool) -> str:
    """A bar for a share from 0 to 1; any share above 0 can be seen."""
    steps = len(_EIGHTHS) - 1 if fine else 1
    whole, rest = divmod(max(round(share * width * steps), 1 if share > 0 else 0), steps)
    return (_EIGHTHS[-1] if fine else "#") * whole + (_EIGHTHS[rest] if rest else "")


def _fraction(amount: str) -> str:
    return amount[amount.index(".") :]
