"""`mps-bill estimate`: what usage would cost, region by region."""

from __future__ import annotations

import time
from typing import Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import argument, option
from mps_bill.cli.output import invalid
from mps_bill.cli.output_options import OutputOptions, shows

_WORDS = (
    "The usage, such as transcoding H264.HD 10 minute. Leave out SPEC if the item has only one, or derives it from"
    " --codec, --width and --height."
)
_MONTH_USED = "For monthly tiers: the quantity used earlier in the month, in the unit of the price."
_AT = "Time of completion, such as 2023-11-10T11:20:00+08:00. Default: now."


@shows("printed", "document")
def estimate(
    words: Annotated[list[str], argument("ITEM [SPEC] QUANTITY UNIT", _WORDS, completion.estimated)],
    prices: options.Prices,
    regions: Annotated[list[str], option("--region -r REGION", "A region. Repeatable.", completion.regions)],
    count: Annotated[int, option("--count -n N", "Number of equal records.", min=1)] = 1,
    at: Annotated[str | None, option("--at TIME", _AT)] = None,
    codec: Annotated[str, option("--codec CODEC", "The codec, such as H264.")] = "",
    width: Annotated[int | None, option("--width PIXELS", "The width of the picture.", min=1)] = None,
    height: Annotated[int | None, option("--height PIXELS", "The height of the picture.", min=1)] = None,
    month_used: Annotated[str, option("--month-used QUANTITY", _MONTH_USED)] = "0",
    *,
    output: OutputOptions,
) -> int:
    """Estimate the price of usage in one or several regions.

    The metering rule and the source of each price are shown.
    """
    if len(words) not in (3, 4):
        raise invalid(
            "ITEM [SPEC] QUANTITY UNIT",
            f"got {len(words)} words; write ITEM [SPEC] QUANTITY UNIT, such as transcoding H264.HD 10 minute",
        )
    item, *spec, quantity, unit = words
    second = options.second_option(at, "--at")
    book = options.load_book(prices)

    from mps_bill.ask.estimates import Question
    from mps_bill.ask.estimates import estimate as estimate_usage
    from mps_bill.view.estimate_view import EstimateView

    question = Question(
        item=item,
        spec=spec[0] if spec else "",
        quantity=quantity,
        unit=unit,
        at=time.time_ns() // 1_000_000_000 if second is None else second,
        codec=codec,
        width=str(width or ""),
        height=str(height or ""),
        count=count,
        month_used=month_used,
    )
    output.show(EstimateView(estimate_usage(question, regions, book), book.currency))
    return output.end()
