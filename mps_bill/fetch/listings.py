"""The actions of the provider that are fetched, one description for each, and the queries that a command makes from them.

Sources: the request and answer models of the provider's official Python SDKs mts-20140618, ice-20201109 and
bssopenapi-20171214 (read 2026-11-26).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mps_bill.core.times import DAY, HOUR, Calendar, iso, utc_text

#: The provider bills by the hour, on the clock of UTC+8.
BILLING_CLOCK = Calendar(HOUR, 8 * HOUR)

#: The keys from the top of an answer to a value in it.
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the provider with its own API. `hosts` are its hosts, each with the prefix of the region ids it is for."""

    name: str
    version: str
    hosts: tuple[tuple[str, str], ...]

    def endpoint(self, region: str) -> str:
        """The address of the API for a region, such as `https://mts.cn-shanghai.aliyuncs.com`."""
        host = next(host for prefix, host in self.hosts if region.startswith(prefix))
        return f"https://{host.format(region=region)}"


@dataclass(frozen=True, slots=True)
class Paging:
    """How one page of an answer leads to the next.

    `size` is the parameter for the number of rows of a page, and its maximum. The next page is requested by its `number`, or by
    the `token` that the previous page has at `next_token`; `number` and `token` are names of parameters. `totals` are the paths
    where an answer may state the number of all rows. Without `number` and `token` the answer is one page.
    """

    size: tuple[str, int] | None = None
    number: str = ""
    token: str = ""
    next_token: Path = ()
    totals: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """An action whose answer is a list. `rows` is the path to the list, `counted` the word for one row, `id` the field that
    identifies a row, and `record` a field by which repeated rows are counted. `echoes` are the parameters that an answer
    repeats, with their paths, and `row_echoes` those that each row repeats; other values mean that it answers another request.
    `then` is the action that is fetched for every row, by its id.
    """

    action: str
    product: Product
    rows: Path
    counted: str
    paging: Paging = Paging()
    parameters: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    record: str = ""
    echoes: Mapping[str, Path] = field(default_factory=dict)
    row_echoes: tuple[str, ...] = ()
    then: Listing | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """All pages of a listing for some parameters. `purpose` is the user's request, in the user's words."""

    listing: Listing
    parameters: Mapping[str, str]
    purpose: Mapping[str, str]

    def follow_ups(self, ids: Iterable[str]) -> list[Query]:
        """The queries for the rows with these ids, if the listing has any."""
        then = self.listing.then
        return [Query(then, {then.id: id_}, self.purpose) for id_ in ids] if then else []


MTS = Product("mts", "2014-06-18", (("", "mts.{region}.aliyuncs.com"),))
ICE = Product("ice", "2020-11-09", (("", "ice.{region}.aliyuncs.com"),))
# Accounts of the international site have their own address, whatever their region is.
BSS = Product(
    "bssopenapi",
    "2017-12-14",
    (("cn-", "business.aliyuncs.com"), ("", "business.ap-southeast-1.aliyuncs.com")),
)

LIST_JOB = Listing(
    "ListJob",
    MTS,
    ("JobList", "Job"),
    "job",
    Paging(("MaximumPageSize", 100), token="NextPageToken", next_token=("NextPageToken",)),
    id="JobId",
)
GET_TRANSCODE_JOB = Listing(
    "GetTranscodeJob",
    ICE,
    ("TranscodeParentJob",),
    "job",
    id="ParentJobId",
    echoes={"ParentJobId": ("TranscodeParentJob", "ParentJobId")},
)
# The list has neither the length nor the size of an output, so every job is requested by itself.
LIST_TRANSCODE_JOBS = Listing(
    "ListTranscodeJobs",
    ICE,
    ("Jobs",),
    "job",
    Paging(("PageSize", 100), token="NextPageToken", next_token=("NextPageToken",)),
    {"OrderBy": "CreateTimeAsc"},
    id="ParentJobId",
    then=GET_TRANSCODE_JOB,
)
JOBS = {"mps": LIST_JOB, "ims": LIST_TRANSCODE_JOBS}
#: The parameters for the first and the last second of the creation times of jobs, by service.
_CREATED = {
    "mps": ("StartOfJobCreatedTimeRange", "EndOfJobCreatedTimeRange"),
    "ims": ("StartOfCreateTime", "EndOfCreateTime"),
}

_BY_THE_HOUR = {"Interval": str(HOUR)}
_METERED = {"transcoding": "MediaConvert", "enhancement": "MediaConvertUHD", "editing": "Edit", "ai": "MpsAi"}
METERING = {
    kind: Listing(f"DescribeMeterIms{name}Usage", ICE, ("Data",), "reading", parameters=_BY_THE_HOUR)
    for kind, name in _METERED.items()
}
#: The longest period that a metering action answers.
_METERING_SPAN = 31 * DAY

QUERY_BILL = Listing(
    "QueryBill",
    BSS,
    ("Data", "Items", "Item"),
    "bill",
    Paging(("PageSize", 300), number="PageNum", totals=(("Data", "TotalCount"),)),
    record="RecordID",
    echoes={"BillingCycle": ("Data", "BillingCycle"), "PageNum": ("Data", "PageNum")},
)
DESCRIBE_INSTANCE_BILL = Listing(
    "DescribeInstanceBill",
    BSS,
    ("Data", "Items"),
    "item",
    Paging(("MaxResults", 300), token="NextToken", next_token=("Data", "NextToken"), totals=(("Data", "TotalCount"),)),
    {"IsBillingItem": "true", "Granularity": "DAILY"},
    echoes={"BillingCycle": ("Data", "BillingCycle")},
    row_echoes=("BillingDate",),
)

ACCOUNT_BALANCE = Listing("QueryAccountBalance", BSS, ("Data",), "balance")
CASH_COUPONS = Listing("QueryCashCoupons", BSS, ("Data", "CashCoupon"), "voucher")
PREPAID_CARDS = Listing("QueryPrepaidCards", BSS, ("Data", "PrepaidCard"), "card")
RESOURCE_PACKAGES = Listing(
    "QueryResourcePackageInstances",
    BSS,
    ("Data", "Instances", "Instance"),
    "plan",
    Paging(("PageSize", 300), number="PageNum", totals=(("Data", "TotalCount"), ("Total",))),
    id="InstanceId",
    echoes={"PageNum": ("Data", "PageNum")},
)
ACCOUNT = (ACCOUNT_BALANCE, CASH_COUPONS, PREPAID_CARDS, RESOURCE_PACKAGES)


def jobs(service: str, start: int, end: int, lookback: int) -> list[Query]:
    """The jobs of a service that can have finished from `start` until before `end` (seconds since the epoch), if no job took
    longer than `lookback` seconds."""
    first, last = _CREATED[service]
    # The provider does not say whether its range includes the end; the last second before the end is right either way.
    created = {first: utc_text(start - lookback), last: utc_text(end - 1)}
    purpose = {**_period(start, end), "lookback_seconds": str(lookback)}
    return [Query(JOBS[service], created, purpose)]


def metering(kind: str, start: int, end: int) -> list[Query]:
    """The metered hours from `start` until before `end` (seconds since the epoch)."""
    spans = [(at, min(at + _METERING_SPAN, end) - 1) for at in range(start, end, _METERING_SPAN)]
    times = [{"StartTs": str(first), "EndTs": str(last)} for first, last in spans]
    return [Query(METERING[kind], parameters, _period(start, end)) for parameters in times]


def bills(month: str) -> list[Query]:
    """The hourly bills of a statement month such as `2026-10`."""
    return [Query(QUERY_BILL, {"BillingCycle": month}, {"month": month, "level": "bill"})]


def bill_items(month: str, now: int) -> list[Query]:
    """The items of the bills of a statement month, one query for each day up to `now`."""
    start, end = BILLING_CLOCK.month_start(month), BILLING_CLOCK.month_end(month)
    days = [BILLING_CLOCK.day(second) for second in range(start, min(end, now + 1), DAY)]
    purpose = {"month": month, "level": "item"}
    return [Query(DESCRIBE_INSTANCE_BILL, {"BillingCycle": month, "BillingDate": day}, purpose) for day in days]


def account() -> list[Query]:
    """Balance, vouchers, cards and plans as they are now."""
    return [Query(listing, {}, {"account": "now"}) for listing in ACCOUNT]


def _period(start: int, end: int) -> dict[str, str]:
    return {"from": iso(start, BILLING_CLOCK.offset), "to": iso(end, BILLING_CLOCK.offset)}
