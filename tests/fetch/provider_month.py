"""A month of a provider: jobs as in the answers of `ListJob`, and bills as in those of `QueryBill` and `DescribeInstanceBill`,
made from the jobs by the published rules, without the program."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from tests.fetch.provider_server import Action

CENT = Decimal("0.01")
CHINA = timedelta(hours=8)
#: The published prices of standard transcoding in the mainland, CNY per minute, and a size of each.
PRICES = {"H264.LD": "0.0217", "H264.SD": "0.0326", "H264.HD": "0.0651", "H264.2K": "0.1400", "H265.HD": "0.3255"}
SIZES = {"LD": (640, 360), "SD": (1280, 720), "HD": (1920, 1080), "2K": (2560, 1440)}
PAGE = 100


@dataclass(frozen=True)
class Job:
    id: str
    created: datetime
    finished: datetime
    spec: str
    seconds: str
    failed: bool


def month_of_jobs(count: int, seed: int = 10) -> list[Job]:
    """Jobs that finish in October 2026 on the billing clock, and some that finish before and after it."""
    source = random.Random(seed)
    begin, hours = datetime(2026, 9, 30, 4, tzinfo=UTC), 32 * 24
    jobs = []
    for number in range(count):
        created = begin + timedelta(seconds=source.randrange(hours * 3600))
        finished = created + timedelta(seconds=source.randrange(30, 7200))
        seconds = f"{source.randrange(100, 600000) / 100:.2f}"
        jobs.append(
            Job(f"job-{number:05}", created, finished, source.choice(list(PRICES)), seconds, source.random() < 0.03)
        )
    return sorted(jobs, key=lambda job: (job.created, job.id))


def job_json(job: Job) -> str:
    codec, bucket = job.spec.split(".")
    width, height = SIZES[bucket]
    output = {
        "TemplateId": "S00000001-200010",
        "Properties": {
            "Duration": job.seconds,
            "Streams": {"VideoStreamList": {"VideoStream": [{"CodecName": codec.lower()}]}},
            "Width": str(width),
            "Height": str(height),
        },
        "Video": {"Codec": {"H264": "H.264", "H265": "H.265"}[codec], "Width": str(width), "Height": str(height)},
        "OutputFile": {"Location": "oss-cn-shanghai", "Bucket": "out", "Object": f"{job.id}.mp4"},
    }
    return json.dumps(
        {
            "JobId": job.id,
            "State": "TranscodeFail" if job.failed else "TranscodeSuccess",
            "CreationTime": f"{job.created:%Y-%m-%dT%H:%M:%SZ}",
            "FinishTime": f"{job.finished:%Y-%m-%dT%H:%M:%SZ}",
            "Output": output,
        }
    )


def list_job(jobs: Sequence[Job]) -> Action:
    def answer(parameters: dict[str, str], _: int) -> str:
        start, end = parameters["StartOfJobCreatedTimeRange"], parameters["EndOfJobCreatedTimeRange"]
        found = [job for job in jobs if start <= f"{job.created:%Y-%m-%dT%H:%M:%SZ}" <= end]
        size, at = int(parameters["MaximumPageSize"]), int(parameters.get("NextPageToken") or 0)
        token = str(at + size) if at + size < len(found) else ""
        listed = ",".join(map(job_json, found[at : at + size]))
        return f'{{"RequestId":"R","JobList":{{"Job":[{listed}]}},"NextPageToken":"{token}"}}'

    return answer


Line = tuple[str, Decimal, Decimal]


def hourly_bills(jobs: Sequence[Job]) -> dict[datetime, list[Line]]:
    """Spec, minutes and list amount of the lines of each hour (on the billing clock) of October."""
    minutes: dict[datetime, dict[str, Decimal]] = {}
    for job in jobs:
        hour = (job.finished + CHINA).replace(minute=0, second=0, tzinfo=None)
        if not job.failed and (hour.year, hour.month) == (2026, 10):
            length = max((Decimal(job.seconds) / 60).quantize(CENT, ROUND_HALF_UP), Decimal("0.02"))
            by_spec = minutes.setdefault(hour, {})
            by_spec[job.spec] = by_spec.get(job.spec, Decimal(0)) + length
    return {
        hour: [(spec, length, length * Decimal(PRICES[spec])) for spec, length in sorted(by_spec.items())]
        for hour, by_spec in sorted(minutes.items())
    }


def payable(lines: Sequence[Line]) -> Decimal:
    return sum((amount for _, _, amount in lines), Decimal(0)).quantize(CENT, ROUND_DOWN)


def _money(listed: Decimal, paid: Decimal, round_down: Decimal) -> dict[str, Decimal]:
    zero = Decimal(0)
    return {
        "PretaxGrossAmount": listed, "InvoiceDiscount": zero, "RoundDownDiscount": round_down, "DeductedByCoupons": zero,
        "PretaxAmount": paid, "PaymentAmount": paid, "CashAmount": paid, "AdjustAmount": zero,
        "DeductedByCashCoupons": zero, "DeductedByPrepaidCard": zero, "OutstandingAmount": zero,
    }  # fmt: skip


def _item(words: dict[str, str], money: dict[str, Decimal]) -> str:
    numbers = ",".join(f'"{name}":{value}' for name, value in money.items())
    return f"{json.dumps(words)[:-1]},{numbers}}}"


HEAD = {
    "ProductCode": "mts",
    "ProductName": "智能媒体服务",
    "SubscriptionType": "PayAsYouGo",
    "Item": "PayAsYouGoBill",
    "Currency": "CNY",
}


def query_bill(bills: dict[datetime, list[Line]]) -> Action:
    """The hourly bills, without items."""
    rows = []
    for hour, lines in bills.items():
        listed = sum((amount for _, _, amount in lines), Decimal(0))
        words = {
            **HEAD,
            "RecordID": f"{hour:%Y%m%d%H}",
            "UsageStartTime": f"{hour:%Y-%m-%d %H:%M:%S}",
            "UsageEndTime": f"{hour + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
        }
        rows.append(_item(words, _money(listed, payable(lines), listed - payable(lines))))

    def answer(parameters: dict[str, str], _: int) -> str:
        page, size = int(parameters["PageNum"]), int(parameters["PageSize"])
        shown = ",".join(rows[(page - 1) * size : page * size])
        data = f'"BillingCycle":"2026-10","PageNum":{page},"PageSize":{size},"TotalCount":{len(rows)}'
        return f'{{"Code":"Success","Success":true,"Data":{{{data},"Items":{{"Item":[{shown}]}}}}}}'

    return answer


def describe_instance_bill(bills: dict[datetime, list[Line]]) -> Action:
    """The items of each day: hourly rows, split from the bill at two decimal places with the odd cents on the first, summed."""
    days: dict[str, dict[str, list[Decimal]]] = {}
    for hour, lines in bills.items():
        parts = [amount.quantize(CENT, ROUND_HALF_UP) for _, _, amount in lines]
        parts[0] += payable(lines) - sum(parts, Decimal(0))
        for (spec, length, amount), part in zip(lines, parts, strict=True):
            sums = days.setdefault(f"{hour:%Y-%m-%d}", {}).setdefault(spec, [Decimal(0)] * 3)
            for place, value in enumerate((length, amount, part)):
                sums[place] += value

    def answer(parameters: dict[str, str], _: int) -> str:
        day = parameters["BillingDate"]
        rows = []
        for spec, (length, listed, paid) in days.get(day, {}).items():
            words = {
                **HEAD,
                "BillingDate": day,
                "BillingItem": spec,
                "Region": "华东2（上海）",
                "InstanceID": "17;cn-shanghai;admin-17",
                "Usage": str(length),
                "UsageUnit": "分钟",
                "ListPrice": PRICES[spec],
                "ListPriceUnit": "元/分钟",
            }
            rows.append(_item(words, _money(listed, paid, listed - paid)))
        data = f'"BillingCycle":"2026-10","TotalCount":{len(rows)},"MaxResults":300,"NextToken":"","Items":[{",".join(rows)}]'
        return f'{{"Code":"Success","Success":true,"Data":{{{data}}}}}'

    return answer
