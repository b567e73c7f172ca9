"""Charts as inline SVG. Widths are percentages and heights are pixels, so that text keeps its size on any screen. Amounts in the
chart have the decimal places of money; the title of a bar and the table of every chart have the exact amounts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mps_bill.core.diagnostics import printable, width_of
from mps_bill.core.language import tr, tr_many
from mps_bill.render.cells import as_text, money_text
from mps_bill.render.folding import shortened
from mps_bill.view.tables import Bar, Series

_LOWEST = 190
_HIGHEST = 380
_TOP = 22
_ROW = 38
#: Space under vertical bars for the hour and, where it changes, the day.
_LABELS = 38
_MOST_LABELS = 6
#: Of labels wider than this number of characters, fewer fit on a phone.
_NARROW, _MOST_WIDE_LABELS = 6, 4
#: The longest label that leaves space for the amount on a phone; the whole label is in the title of the bar.
_LONGEST_LABEL = 34


def column_chart(series: Series, currency: str, name: str, *, beside: int = 0) -> str:
    """Return vertical bars over time, with the amount of the highest bar and labels under some of them.

    `beside` is the number of horizontal bars in the chart next to this one, which sets the height.
    """
    height = max(_LOWEST, min(_HIGHEST, beside * _ROW - _LABELS))
    step = 100 / len(series.bars)
    highest = max(series.bars, key=lambda bar: bar.amount)
    drawn = []
    for number, bar in enumerate(series.bars):
        length = max(series.share(bar) * (height - _TOP), 1.5 if bar.amount > 0 else 0)
        x = number * step
        drawn.append(
            f'<g><title>{_label(bar, currency)}</title><rect class="hit" x="{x:.3f}%" y="{_TOP}" width="{step:.3f}%" '
            f'height="{height - _TOP}"/><rect class="bar" x="{x + step * 0.1:.3f}%" y="{height - length:.1f}" '
            f'width="{step * 0.8:.3f}%" height="{length:.1f}" rx="1.5"/></g>'
        )
    rules = (
        f'<line class="rule" x1="0" x2="100%" y1="{_TOP}" y2="{_TOP}"/>'
        f'<line class="rule" x1="0" x2="100%" y1="{height}" y2="{height}"/>'
        f'<text class="soft" x="0" y="{_TOP - 7}">{_shown(highest, currency)}</text>'
    )
    labels = "".join(_time_labels(series, step, height))
    return _svg(series, currency, name, height + _LABELS, rules + "".join(drawn) + labels)


def _time_labels(series: Series, step: float, height: int) -> Iterator[str]:
    """Yield a few labels, each under the middle of its bar: the hour, with the day below it where it changes; or the day, with
    the year below it."""
    first_day, _, first_hour = series.bars[0].label.partition(" ")
    is_wide = width_of(first_hour or first_day[5:]) > _NARROW
    every = -(-len(series.bars) // (_MOST_WIDE_LABELS if is_wide else _MOST_LABELS))
    known = ""
    for number in range(0, len(series.bars), every):
        day, _, hour = series.bars[number].label.partition(" ")
        first, second = (hour, day) if hour else (day[5:], day[:4])
        x = (number + 0.5) * step
        side = " middle" if 4 < x < 96 else " end" if x >= 96 else ""
        x = 0 if x <= 4 else 100 if x >= 96 else x
        yield f'<text class="soft{side}" x="{x:.3f}%" y="{height + 16}">{escape(first)}</text>'
        if second != known:
            yield f'<text class="soft{side}" x="{x:.3f}%" y="{height + 32}">{escape(second[5:] or second)}</text>'
        known = second


def bar_chart(series: Series, currency: str, name: str) -> str:
    """Return horizontal bars, each under its name and amount, in the order of the series."""
    drawn = []
    for number, bar in enumerate(series.bars):
        y = number * _ROW
        label = shortened(printable(bar.label), _LONGEST_LABEL)
        width = max(series.share(bar) * 100, 0.4 if bar.amount > 0 else 0)
        drawn.append(
            f'<g><title>{_label(bar, currency)}</title><text x="0" y="{y + 14}">{escape(label)}</text>'
            f'<text class="end soft" x="100%" y="{y + 14}">{_shown(bar, currency)}</text>'
            f'<rect class="track" x="0" y="{y + 20}" width="100%" height="9" rx="2"/>'
            f'<rect class="bar" x="0" y="{y + 20}" width="{width:.3f}%" height="9" rx="2"/></g>'
        )
    return _svg(series, currency, name, len(series.bars) * _ROW, f'<g class="by-item">{"".join(drawn)}</g>')


def _svg(series: Series, currency: str, name: str, height: int, drawn: str) -> str:
    highest = max(series.bars, key=lambda bar: bar.amount)
    about = tr_many(
        "{n} bar: {highest}. The table below has every amount.",
        "{n} bars; the highest is {highest}. The table below has every amount.",
        len(series.bars),
        highest=_label(highest, currency),
    )
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-about" height="{height}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-title">{escape(series.title)}</title><desc id="{name}-about">{about}</desc>{drawn}</svg>'
    )


def _label(bar: Bar, currency: str) -> str:
    exact = escape(f"{as_text(bar.amount, 'amount')} {currency}")
    return tr("{name}: {value}", name=escape(printable(bar.label)), value=exact)


def _shown(bar: Bar, currency: str) -> str:
    return escape(f"{money_text(bar.amount)} {currency}")
