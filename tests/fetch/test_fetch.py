"""`mps-bill fetch` with the provider's own client against a test provider: nothing is lost, added or changed."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.core.files import lock
from tests.cli.test_process import RUN
from tests.conftest import ROOT
from tests.fetch.conftest import KEY, SECRET, Fetch
from tests.fetch.provider_server import Action, FakeProvider, Reply, error, job, job_page, listed, provider
from tests.test_architecture import imports_of, modules

pytest.importorskip("alibabacloud_tea_openapi", reason="the extra cloud is not installed")

PERIOD = ["--region", "cn-shanghai", "--from", "2026-10-01", "--to", "2026-11-01"]
THREE_PAGES = {
    "": job_page(job(1), job(2), token="t2"),
    "t2": job_page(job(3), job(4), token="t3"),
    "t3": job_page(job(5)),
}


def jobs_of(lines: list[dict]) -> list[str]:
    return [one["JobId"] for line in lines for one in line["response"]["JobList"]["Job"]]


def read(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_jobs_are_fetched_page_by_page_and_stored_with_their_requests(fetch: Fetch) -> None:
    with provider({"ListJob": listed(THREE_PAGES)}) as fake:
        assert fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl") == []
        lines = read("jobs.jsonl")
    assert jobs_of(lines) == ["j-1", "j-2", "j-3", "j-4", "j-5"]
    assert [line["request"]["page"] for line in lines] == [1, 2, 3]
    request = lines[1]["request"]
    request.pop("fetched_at")
    assert request == {
        "action": "ListJob",
        "product": "mts",
        "version": "2014-06-18",
        "parameters": {
            # Two days earlier, and until the second before the end, in UTC.
            "StartOfJobCreatedTimeRange": "2026-09-28T16:00:00Z",
            "EndOfJobCreatedTimeRange": "2026-10-31T15:59:59Z",
            "MaximumPageSize": "100",
            "NextPageToken": "t2",
        },
        "page": 2,
        "fetched_for": {
            "from": "2026-10-01T00:00:00+08:00",
            "to": "2026-11-01T00:00:00+08:00",
            "lookback_seconds": "172800",
        },
        "endpoint": fake.address,
        "region": "cn-shanghai",
    }
    assert fake.calls[1].parameters == lines[1]["request"]["parameters"]
    assert fake.calls[1].version == "2014-06-18"
    assert fetch.out == ""
    assert "Control totals of ListJob: 3 pages, 5 jobs; the provider states no total." in fetch.err
    assert "Answers written: 3." in fetch.err
    assert not Path("jobs.jsonl.part").exists()


def test_every_digit_stays_as_it_was_sent(fetch: Fetch) -> None:
    numbers = ["0.10", "1E+2", "12345678901234567890", "-0", '"0.10"', "1.0000000000000000000000001"]
    page = job_page(*(job(number, digits) for number, digits in enumerate(numbers)))
    sent = page.replace(",", " ,\n\t", 3)
    with provider({"ListJob": listed({"": sent})}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl")
    (line,) = Path("jobs.jsonl").read_text().splitlines()
    assert line.endswith(f', "response": {sent.replace(chr(10), " ")}}}')
    for digits in numbers:
        assert f'"Duration":{digits}}}' in line


def test_characters_stay_as_they_were_sent(fetch: Fetch) -> None:
    sent = job_page(job(1, '"\u2028 \x85 分钟 \\u5206"'))
    with provider({"ListJob": listed({"": sent})}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl")
    assert sent in Path("jobs.jsonl").read_text().split("\n")[0]


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        (["--lookback", "0h"], "2026-09-30T16:00:00Z", "2026-10-31T15:59:59Z"),
        (["--lookback", "36h"], "2026-09-29T04:00:00Z", "2026-10-31T15:59:59Z"),
        (["--from", "2026-10-01T00:00:00Z"], "2026-09-29T00:00:00Z", "2026-10-31T15:59:59Z"),
        (["--to", "2026-10-01T10:00"], "2026-09-28T16:00:00Z", "2026-10-01T01:59:59Z"),
    ],
)
def test_the_period_is_on_the_billing_clock_and_requests_are_in_utc(
    fetch: Fetch, words: list[str], first: str, last: str
) -> None:
    with provider({"ListJob": listed({"": job_page(job(1))})}) as fake:
        fetch("jobs", *PERIOD, *words, "--endpoint", fake.address)
    (asked,) = fake.parameters("ListJob")
    assert (asked["StartOfJobCreatedTimeRange"], asked["EndOfJobCreatedTimeRange"]) == (first, last)


def test_a_list_without_jobs_is_an_answer_too(fetch: Fetch) -> None:
    with provider({"ListJob": listed({"": job_page()})}) as fake:
        (line,) = fetch("jobs", *PERIOD, "--endpoint", fake.address)
    assert jobs_of([line]) == []
    assert "1 page, 0 jobs" in fetch.err


def test_an_answer_without_the_list_is_refused(fetch: Fetch) -> None:
    with provider({"ListJob": listed({"": '{"RequestId":"R-1"}'})}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl", code=3)
    assert "the answer to page 1 of ListJob has no JobList.Job" in fetch.err
    assert not list(Path().glob("jobs*"))


# IMS: the list, then each job.


def ims_list(*ids: str, token: str = "") -> str:
    return json.dumps({"Jobs": [{"ParentJobId": id_, "Status": "Success"} for id_ in ids], "NextPageToken": token})


def ims_job(parameters: dict[str, str], _: int) -> str:
    return json.dumps({"RequestId": "R-1", "TranscodeParentJob": {"ParentJobId": parameters["ParentJobId"]}})


def test_for_ims_every_job_of_the_list_is_requested(fetch: Fetch) -> None:
    pages = {"": ims_list("p-1", "p-2", token="n"), "n": ims_list("p-3")}
    with provider({"ListTranscodeJobs": listed(pages), "GetTranscodeJob": ims_job}) as fake:
        lines = fetch("jobs", *PERIOD, "--service", "ims", "--endpoint", fake.address)
    assert [line["request"]["action"] for line in lines] == ["ListTranscodeJobs"] * 2 + ["GetTranscodeJob"] * 3
    assert fake.parameters("ListTranscodeJobs")[1] == {
        "OrderBy": "CreateTimeAsc",
        "StartOfCreateTime": "2026-09-28T16:00:00Z",
        "EndOfCreateTime": "2026-10-31T15:59:59Z",
        "PageSize": "100",
        "NextPageToken": "n",
    }
    assert [asked["ParentJobId"] for asked in fake.parameters("GetTranscodeJob")] == ["p-1", "p-2", "p-3"]
    assert {call.version for call in fake.calls} == {"2020-11-09"}
    assert "Control totals of GetTranscodeJob: 3 pages, 3 jobs" in fetch.err


def test_an_answer_about_another_job_is_refused(fetch: Fetch) -> None:
    def first(_: dict[str, str], before: int) -> str:
        return ims_job({"ParentJobId": "p-1"}, before)

    with provider({"ListTranscodeJobs": listed({"": ims_list("p-1", "p-2")}), "GetTranscodeJob": first}) as fake:
        fetch("jobs", *PERIOD, "--service", "ims", "--endpoint", fake.address, code=3)
    assert 'is for ParentJobId "p-1", but "p-2" was requested' in fetch.err


def sub_job(parameters: dict[str, str], _: int) -> str:
    """A parent job with one output, as in the provider's answer."""
    parent = parameters["ParentJobId"]
    job = {
        "JobId": f"{parent}-1",
        "ParentJobId": parent,
        "Status": "Success",
        "FinishTime": "2026-10-01T03:20:00Z",
        "OutFileMeta": {
            "FileBasicInfo": {"Duration": "600.10", "Width": "1920", "Height": "1080", "Region": "cn-shanghai"},
            "VideoStreamInfoList": [{"Codec_name": "h264"}],
        },
    }
    return json.dumps({"TranscodeParentJob": {"ParentJobId": parent, "Status": "Success", "TranscodeJobList": [job]}})


@pytest.mark.parametrize(
    ("service", "profile", "ids"),
    [("mps", "mps-job-list", ["j-1", "j-2", "j-3", "j-4", "j-5"]), ("ims", "ims-jobs", ["p-1-1", "p-2-1", "p-3-1"])],
)
def test_a_profile_reads_the_file_as_it_is(
    fetch: Fetch, capsys: pytest.CaptureFixture[str], service: str, profile: str, ids: list[str]
) -> None:
    actions = {
        "ListJob": listed(THREE_PAGES),
        "ListTranscodeJobs": listed({"": ims_list("p-1", "p-2", token="n"), "n": ims_list("p-3")}),
        "GetTranscodeJob": sub_job,
    }
    with provider(actions) as fake:
        fetch("jobs", *PERIOD, "--service", service, "--endpoint", fake.address, "-o", "jobs.jsonl")
    assert run(["usage", "convert", "jobs.jsonl", "--profile", profile, "--set", "region=cn-shanghai"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [(row["job_id"], row["quantity"]) for row in rows] == [(id_, "600.10") for id_ in ids]


# Metering.


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("transcoding", "DescribeMeterImsMediaConvertUsage"),
        ("enhancement", "DescribeMeterImsMediaConvertUHDUsage"),
        ("editing", "DescribeMeterImsEditUsage"),
        ("ai", "DescribeMeterImsMpsAiUsage"),
    ],
)
def test_metering_is_by_the_hour_and_31_days_at_a_time(fetch: Fetch, kind: str, action: str) -> None:
    def answer(parameters: dict[str, str], _: int) -> str:
        return f'{{"RequestId":"R-1","Data":[{{"Time":{parameters["StartTs"]},"Duration":0.10}}]}}'

    with provider({action: answer}) as fake:
        lines = fetch(
            "metering", "--kind", kind, "--from", "2026-09-01", "--to", "2026-11-01", "--endpoint", fake.address
        )
    # 2026-09-01T00:00+08:00 is 1788192000; 31 days are 2678400 seconds; 2026-11-01T00:00+08:00 is 1793462400.
    assert fake.parameters(action) == [
        {"Interval": "3600", "StartTs": "1788192000", "EndTs": "1790870399"},
        {"Interval": "3600", "StartTs": "1790870400", "EndTs": "1793462399"},
    ]
    assert [line["response"]["Data"][0]["Time"] for line in lines] == [1788192000, 1790870400]
    assert f"Control totals of {action}: 2 pages, 2 readings" in fetch.err


# Bills.


def bill_page(parameters: dict[str, str], bills: list[str], total: object, number: object = None) -> str:
    data = {
        "BillingCycle": parameters["BillingCycle"],
        "TotalCount": total,
        "PageNum": int(parameters["PageNum"]) if number is None else number,
        "Items": {"Item": [{"RecordID": id_, "PretaxAmount": 1} for id_ in bills]},
    }
    return json.dumps({"Code": "Success", "Message": "Successful!", "Success": True, "Data": data})


def bills_of(total: int, sizes: tuple[int, ...]) -> Action:
    def answer(parameters: dict[str, str], _: int) -> str:
        page = int(parameters["PageNum"])
        size = sizes[page - 1] if page <= len(sizes) else 0
        return bill_page(parameters, [f"b-{page}-{number}" for number in range(size)], total)

    return answer


BILLS = ["bills", "--month", "2026-10"]


def test_bills_are_fetched_by_page_number_up_to_the_stated_total(fetch: Fetch) -> None:
    with provider({"QueryBill": bills_of(744, (300, 300, 144))}) as fake:
        lines = fetch(*BILLS, "--endpoint", fake.address)
    assert fake.parameters("QueryBill") == [
        {"BillingCycle": "2026-10", "PageSize": "300", "PageNum": str(number)} for number in (1, 2, 3)
    ]
    assert fake.calls[0].version == "2017-12-14"
    assert sum(len(line["response"]["Data"]["Items"]["Item"]) for line in lines) == 744
    assert "Control totals of QueryBill: 3 pages, 744 bills; the provider states 744." in fetch.err


@pytest.mark.parametrize(("total", "sizes", "came"), [(744, (300, 300, 143), 743), (300, (301,), 301)])
def test_a_number_that_differs_from_the_stated_total_is_an_error(
    fetch: Fetch, total: int, sizes: tuple[int, ...], came: int
) -> None:
    with provider({"QueryBill": bills_of(total, sizes)}) as fake:
        fetch(*BILLS, "--endpoint", fake.address, "-o", "bills.jsonl", code=3)
    assert "go on with it" not in fetch.err
    assert f"QueryBill BillingCycle 2026-10: {came} bills received, but TotalCount is {total}" in fetch.err
    assert not Path("bills.jsonl").exists()


def test_a_total_that_changes_between_pages_is_an_error(fetch: Fetch) -> None:
    def answer(parameters: dict[str, str], before: int) -> str:
        return bill_page(parameters, [f"b-{before}-{number}" for number in range(300)], 600 + before)

    with provider({"QueryBill": answer}) as fake:
        fetch(*BILLS, "--endpoint", fake.address, code=3)
    assert "page 2 of QueryBill states 601 and the previous page 600" in fetch.err


def test_items_are_requested_day_by_day(fetch: Fetch) -> None:
    def answer(parameters: dict[str, str], _: int) -> str:
        day, token = parameters["BillingDate"], parameters.get("NextToken")
        items = [{"BillingDate": day, "ListPrice": f"{day}-{token}-{number}"} for number in range(1 if token else 2)]
        data = {"BillingCycle": "2026-10", "TotalCount": 3, "NextToken": "" if token else f"n-{day}", "Items": items}
        return json.dumps({"Code": "Success", "Success": True, "Data": data})

    with provider({"DescribeInstanceBill": answer}) as fake:
        lines = fetch(*BILLS, "--level", "item", "--endpoint", fake.address)
    asked = fake.parameters("DescribeInstanceBill")
    assert [one["BillingDate"] for one in asked[::2]] == [f"2026-10-{day:02}" for day in range(1, 32)]
    assert asked[1] == {
        "IsBillingItem": "true",
        "Granularity": "DAILY",
        "BillingCycle": "2026-10",
        "BillingDate": "2026-10-01",
        "MaxResults": "300",
        "NextToken": "n-2026-10-01",
    }
    assert len(lines) == 62
    assert "Control totals of DescribeInstanceBill: 62 pages, 93 items; the provider states 93." in fetch.err


@pytest.mark.parametrize(("day", "code"), [("2026-10-02", 3), ("", 0)])
def test_items_of_another_day_than_requested_are_not_written(fetch: Fetch, day: str, code: int) -> None:
    def answer(parameters: dict[str, str], _: int) -> str:
        items = [{"BillingDate": parameters["BillingDate"], "ListPrice": "1"}, {"BillingDate": day, "ListPrice": "2"}]
        data = {"BillingCycle": "2026-10", "TotalCount": 2, "NextToken": "", "Items": items}
        return json.dumps({"Code": "Success", "Success": True, "Data": data})

    with provider({"DescribeInstanceBill": answer}) as fake:
        fetch(*BILLS, "--level", "item", "--endpoint", fake.address, code=code)
    message = 'is for BillingDate "2026-10-02", but "2026-10-01" was requested; it was discarded'
    assert (message in fetch.err) == bool(code)


def test_a_bill_that_is_in_a_page_twice_is_reported(fetch: Fetch) -> None:
    with provider({"QueryBill": lambda parameters, _: bill_page(parameters, ["b-1", "b-2", "b-1"], 3)}) as fake:
        fetch(*BILLS, "--endpoint", fake.address)
    assert "1 page, 3 bills, 1 of them repeated; the provider states 3" in fetch.err


# Repeated pages.


def test_a_repeated_page_of_jobs_is_not_written(fetch: Fetch) -> None:
    pages = {**THREE_PAGES, "t3": job_page(job(2), job(1))}
    with provider({"ListJob": listed(pages)}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl", code=3)
        assert "page 3 of ListJob repeats earlier rows and is not written" in fetch.err
        assert "jobs.jsonl.part; continue with --resume." in fetch.err
        assert jobs_of(read("jobs.jsonl.part")) == ["j-1", "j-2", "j-3", "j-4"]
        fake.actions["ListJob"] = listed(THREE_PAGES)
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl", "--resume")
    assert jobs_of(read("jobs.jsonl")) == ["j-1", "j-2", "j-3", "j-4", "j-5"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_repeated_page_of_bills_is_not_written(fetch: Fetch, number: int) -> None:
    """Whether the answer says which page it is or not."""

    def answer(parameters: dict[str, str], before: int) -> str:
        return bill_page(parameters, [f"b-{bill}" for bill in range(300)], 600, number if before else 1)

    with provider({"QueryBill": answer}) as fake:
        fetch(*BILLS, "--endpoint", fake.address, "-o", "bills.jsonl", code=3)
    assert ("repeats earlier rows" if number == 2 else 'is for PageNum "1", but "2" was requested') in fetch.err
    assert len(read("bills.jsonl.part")) == 1


def test_a_repeated_token_ends_the_run(fetch: Fetch) -> None:
    def answer(_: dict[str, str], before: int) -> str:
        return job_page(job(before), token="t2")

    with provider({"ListJob": answer}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, code=3)
    assert 'NextPageToken "t2"' in fetch.err
    assert len(fake.calls) == 2


def test_single_repeated_jobs_are_counted(fetch: Fetch) -> None:
    pages = {"": job_page(job(1), job(2), token="t2"), "t2": job_page(job(2), job(3))}
    with provider({"ListJob": listed(pages)}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address)
    assert "2 pages, 4 jobs, 1 of them repeated" in fetch.err


# Errors that are retried, and errors that are not.


def failing(reply: Reply, times: int, pages: dict[str, str]) -> Action:
    """An action that answers the first requests for the second page, this number of times, with `reply`."""
    failed: list[None] = []

    def answer(parameters: dict[str, str], _: int) -> Reply | str:
        token = parameters.get("NextPageToken", "")
        if token == "t2" and len(failed) < times:
            failed.append(None)
            return reply
        return pages[token]

    return answer


TEMPORARY = {
    "throttled": (
        Reply(error("Throttling.User", "Request was denied due to user flow control."), 400),
        "Throttling.User",
    ),
    "throttled in a 200": (Reply(error("Throttling", Success=False)), "Throttling"),
    "out of service": (Reply(error("ServiceUnavailable", "Busy."), 503), "ServiceUnavailable: Busy."),
    "out of service by another code": (Reply(error("Backend.Away", "Gone."), 503), "Backend.Away: Gone."),
    "a page of a gateway": (Reply("<html>503</html>", 503), "the answer cannot be read"),
    "no JSON": (Reply("<html>all well</html>"), "not a JSON object"),
    "cut off": (Reply(THREE_PAGES["t2"], cut=40), "the connection failed or was cut"),
    "cut off at once": (Reply(THREE_PAGES["t2"], cut=0), "the connection failed or was cut"),
}


@pytest.mark.parametrize("case", TEMPORARY)
def test_passing_errors_are_retried_with_growing_pauses(fetch: Fetch, no_pauses: list[float], case: str) -> None:
    reply, said = TEMPORARY[case]
    with provider({"ListJob": failing(reply, 3, THREE_PAGES)}) as fake:
        lines = fetch("jobs", *PERIOD, "--endpoint", fake.address)
    assert jobs_of(lines) == ["j-1", "j-2", "j-3", "j-4", "j-5"]
    assert no_pauses == [1, 2, 4]
    assert len(fake.calls) == 6
    assert said in fetch.err
    assert "waiting 4 s" in fetch.err


def test_the_provider_can_ask_for_a_longer_pause(fetch: Fetch, no_pauses: list[float]) -> None:
    reply = Reply(error("Throttling.User"), 429, headers={"x-acs-retry-after": "7001"})
    with provider({"ListJob": failing(reply, 1, THREE_PAGES)}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address)
    assert no_pauses == [8]


def test_retries_end_and_the_run_can_be_resumed(fetch: Fetch, no_pauses: list[float]) -> None:
    throttled = Reply(error("Throttling.User", "Slow down."), 400)
    with provider({"ListJob": failing(throttled, 100, THREE_PAGES)}) as fake:
        words = ["jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl"]
        fetch(*words, code=3)
        assert "page 2 of ListJob: Throttling.User: Slow down.; tried 8 times\n" in fetch.err
        assert "jobs.jsonl.part; continue with --resume." in fetch.err
        assert no_pauses == [1, 2, 4, 8, 16, 30, 60]
        assert jobs_of(read("jobs.jsonl.part")) == ["j-1", "j-2"]
        fake.actions["ListJob"] = listed(THREE_PAGES)
        before = len(fake.calls)
        fetch(*words, "--resume")
    assert len(fake.calls) - before == 2
    assert jobs_of(read("jobs.jsonl")) == ["j-1", "j-2", "j-3", "j-4", "j-5"]
    assert "Answers written: 3, 1 of them by the earlier run." in fetch.err
    assert "3 pages, 5 jobs" in fetch.err


@pytest.mark.parametrize(
    "reply",
    [
        Reply(error("Forbidden.RAM", "User not authorized to operate on the specified resource."), 403),
        Reply(error("Forbidden.RAM", "User not authorized to operate on the specified resource.", Success=False)),
        Reply(error("Forbidden.RAM", "User not authorized to operate on the specified resource.")),
    ],
)
def test_a_refusal_has_the_code_and_message_of_the_provider(fetch: Fetch, no_pauses: list[float], reply: Reply) -> None:
    with provider({"ListJob": lambda *_: reply}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl", code=3)
    assert (
        "the provider refuses page 1 of ListJob: Forbidden.RAM: User not authorized to operate on the specified resource."
        in fetch.err
    )
    assert no_pauses == []
    assert "--resume" not in fetch.err
    assert not list(Path().glob("jobs*"))


def test_no_message_has_a_secret(fetch: Fetch) -> None:
    said = (
        f"Specified signature is not matched with our calculation. {KEY} {SECRET} server string to sign is:POST\n/\n"
        "x-acs-signature-nonce:1\nAuthorization: ACS3-HMAC-SHA256 Signature=abc"
    )
    with provider({"ListJob": lambda *_: Reply(error("SignatureDoesNotMatch", said), 400)}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, code=3)
    assert "SignatureDoesNotMatch: Specified signature is not matched with our calculation." in fetch.err


def test_no_log_has_a_secret(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "sdk")
    with provider({"ListJob": listed({"": job_page(job(1))})}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address)
    assert "Authorization" not in fetch.err
    # The request was signed, of course.
    assert KEY in fake.calls[0].headers["authorization"]


def test_a_session_is_signed_with_its_token_and_keeps_it_secret(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from alibabacloud_credentials.utils import auth_util

    token = "FakeSessionTokenOfTests"
    monkeypatch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", token)
    monkeypatch.setattr(auth_util, "environment_security_token", token)
    with provider({"ListJob": listed({"": job_page(job(1))})}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl")
        assert token not in Path("jobs.jsonl").read_text()
        assert fake.calls[0].headers["x-acs-security-token"] == token
        fake.actions["ListJob"] = lambda *_: Reply(error("InvalidSecurityToken.Expired", f"{token} has expired."), 403)
        fetch("jobs", *PERIOD, "--endpoint", fake.address, code=3)
    assert "InvalidSecurityToken.Expired: *** has expired." in fetch.err
    assert capsys.readouterr() == ("", "")


def test_an_answer_that_contains_the_secret_is_not_written(fetch: Fetch) -> None:
    with provider({"ListJob": listed({"": job_page(job(1, f'"{SECRET}"'))})}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl", code=3)
    assert "contains a secret" in fetch.err


# Resuming an interrupted run.

RESUMED = ["--resume", "-o", "jobs.jsonl"]


def broken_off(fetch: Fetch, fake: FakeProvider) -> list[str]:
    """A run that has fetched two of three pages, as the words of its command."""
    fake.actions["ListJob"] = listed({**THREE_PAGES, "t3": error("Forbidden", Success=False)})
    words = ["jobs", *PERIOD, "--endpoint", fake.address]
    fetch(*words, "-o", "jobs.jsonl", code=3)
    fake.actions["ListJob"] = listed(THREE_PAGES)
    fake.calls.clear()
    return words


def test_a_run_continues_where_it_was_interrupted(fetch: Fetch) -> None:
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        part = Path("jobs.jsonl.part").read_bytes()
        fetch(*words, *RESUMED)
    assert [call.parameters.get("NextPageToken") for call in fake.calls] == ["t3"]
    assert Path("jobs.jsonl").read_bytes().startswith(part)
    assert jobs_of(read("jobs.jsonl")) == ["j-1", "j-2", "j-3", "j-4", "j-5"]
    assert not Path("jobs.jsonl.part").exists()


@pytest.mark.parametrize("taken", [1, 50, 400])
def test_an_incomplete_line_is_fetched_again(fetch: Fetch, taken: int) -> None:
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        part = Path("jobs.jsonl.part")
        part.write_bytes(part.read_bytes()[:-taken])
        fetch(*words, *RESUMED)
    assert [call.parameters.get("NextPageToken") for call in fake.calls] == ["t2", "t3"]
    assert jobs_of(read("jobs.jsonl")) == ["j-1", "j-2", "j-3", "j-4", "j-5"]


def test_a_run_does_not_continue_after_answers_to_other_requests(fetch: Fetch) -> None:
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        part = Path("jobs.jsonl.part").read_bytes()
        fetch(*words, "--lookback", "3d", *RESUMED, code=3)
        assert "jobs.jsonl.part:1: this is the answer to another request (ListJob)" in fetch.err
        fetch(*words, "--region", "cn-beijing", *RESUMED, code=3)
        assert "jobs.jsonl.part:1: this is the answer to another request" in fetch.err
    assert fake.calls == []
    assert Path("jobs.jsonl.part").read_bytes() == part


def test_existing_answers_are_not_overwritten(fetch: Fetch) -> None:
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        part = Path("jobs.jsonl.part").read_bytes()
        fetch(*words, "-o", "jobs.jsonl", code=3)
    assert "continue with --resume or delete it" in fetch.err
    assert Path("jobs.jsonl.part").read_bytes() == part


@pytest.mark.parametrize(
    "line", ["{}", "[]", '{"request": {}, "response": 1}', '{"request": {}, "response": {}', "\xff"]
)
def test_a_file_with_other_contents_is_refused(fetch: Fetch, line: str) -> None:
    Path("jobs.jsonl.part").write_bytes(line.encode("latin-1") + b"\n")
    with provider({"ListJob": listed(THREE_PAGES)}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, *RESUMED, code=3)
    assert "jobs.jsonl.part:1: this line is not an answer that fetch has written" in fetch.err


def test_more_answers_than_requested_are_refused(fetch: Fetch) -> None:
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        part = Path("jobs.jsonl.part")
        part.write_text(part.read_text().replace('"NextPageToken":"t2"', '"NextPageToken":""'))
        fetch(*words, *RESUMED, code=3)
    assert "jobs.jsonl.part:2: the answers from here on belong to another request" in fetch.err


def test_a_complete_file_stays_until_the_next_one_is_complete(fetch: Fetch) -> None:
    Path("jobs.jsonl").write_text("yesterday's\n")
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        assert Path("jobs.jsonl").read_text() == "yesterday's\n"
        fetch(*words, *RESUMED)
    assert len(read("jobs.jsonl")) == 3


def test_a_run_continues_after_its_process_was_killed(fetch: Fetch) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def answer(parameters: dict[str, str], _: int) -> str:
        token = parameters.get("NextPageToken", "")
        if token == "t3":
            processes[0].kill()
        return THREE_PAGES[token]

    with provider({"ListJob": answer}) as fake:
        words = ["jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        processes.append(subprocess.Popen([*RUN, "fetch", *words], env=environment, stderr=subprocess.DEVNULL))
        assert processes[0].wait() == -signal.SIGKILL
        assert jobs_of(read("jobs.jsonl.part")) == ["j-1", "j-2", "j-3", "j-4"]
        fake.actions["ListJob"] = listed(THREE_PAGES)
        fetch(*words, "--resume")
    assert jobs_of(read("jobs.jsonl")) == ["j-1", "j-2", "j-3", "j-4", "j-5"]
    assert len(fake.calls) == 4


def test_two_runs_never_write_one_file(fetch: Fetch) -> None:
    with provider({}) as fake:
        words = broken_off(fetch, fake)
        with open("jobs.jsonl.part", "rb") as other:
            assert lock(other.fileno())
            fetch(*words, *RESUMED, code=3)
    assert "is being written by another run" in fetch.err


def test_the_file_keeps_its_mode(fetch: Fetch) -> None:
    Path("jobs.jsonl").touch(0o600)
    with provider({"ListJob": listed(THREE_PAGES)}) as fake:
        fetch("jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl")
    assert stat.S_IMODE(Path("jobs.jsonl").stat().st_mode) == 0o600
    assert len(read("jobs.jsonl")) == 3


def test_a_reader_that_goes_away_ends_the_run() -> None:
    def endless(_: dict[str, str], before: int) -> str:
        return job_page(job(before, f'"{"x" * 200_000}"'), token=str(before))

    with provider({"ListJob": endless}) as fake:
        command = [*RUN, "fetch", "jobs", *PERIOD, "--endpoint", fake.address]
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(12) == b'{"request": '
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert (process.wait(), err) == (0, b"")


def test_a_terminal_shows_the_progress() -> None:
    with provider({"ListJob": listed(THREE_PAGES)}) as fake:
        ours, theirs = pty.openpty()
        words = ["fetch", "jobs", *PERIOD, "--endpoint", fake.address, "-o", "jobs.jsonl"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
        with subprocess.Popen([*RUN, *words], env=environment, stderr=theirs) as process:
            os.close(theirs)
            shown = b""
            while chunk := _read_terminal(ours):
                shown += chunk
        os.close(ours)
    assert process.returncode == 0
    assert b"3 pages, 5 rows" in shown
    assert b"Control totals of ListJob: 3 pages, 5 jobs" in shown


def _read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


# The command line.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "2026-10-01"], "must be after its start"),
        (["--from", "yesterday"], '"yesterday" is not an ISO 8601 date and time'),
        (["--from", "2026-10-01T00:00:00.5Z"], "has a fraction of a second"),
        (["--lookback", "2"], '"2" is not a duration such as 2d or 36h'),
        (["--region", "cn-shanghai.evil.example"], "is not a region id"),
        (["--endpoint", "http://mts.aliyuncs.com"], "http is allowed for 127.0.0.1 only"),
        (["--endpoint", "https://me:secret@mts.aliyuncs.com"], "is not an address"),
        (["--endpoint", "ftp://mts.aliyuncs.com"], "is not an address"),
        (["--resume"], "it needs a file; give --output FILE"),
        (["--output", "no/such/folder"], "cannot be written: No such file or directory"),
        (["--output", "/"], "cannot be written: Is a directory"),
    ],
)
def test_wrong_command_lines(fetch: Fetch, words: list[str], said: str) -> None:
    fetch("jobs", *PERIOD, *words, code=2)
    assert said in fetch.err.replace("\n", " ")


def test_a_month_that_has_not_begun(fetch: Fetch) -> None:
    fetch("bills", "--month", "2999-01", code=2)
    assert "2999-01 has not begun" in fetch.err


def test_notes_say_what_the_provider_may_not_have(fetch: Fetch) -> None:
    with provider({"ListJob": listed({"": job_page(job(1))})}) as fake:
        fetch("jobs", *PERIOD, "--from", "2020-01-01", "--to", "2990-01-01", "--endpoint", fake.address)
        assert "the provider keeps jobs and metering for 90 days" in fetch.err
        assert "the period has not ended" in fetch.err
        fetch("jobs", *PERIOD, "--from", "2020-01-01", "--quiet", "--endpoint", fake.address)
        assert fetch.err == ""


def test_without_the_extra_the_message_says_how_to_install_it(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alibabacloud_tea_openapi.client", None)
    fetch("jobs", *PERIOD, "-o", "jobs.jsonl", code=3)
    assert 'pip install "mps-bill[cloud]"' in fetch.err
    assert not list(Path().glob("jobs*"))


def test_without_a_key_the_message_says_where_keys_are_looked_for(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alibabacloud_credentials.utils import auth_util

    for name in ("id", "secret"):
        monkeypatch.delenv(f"ALIBABA_CLOUD_ACCESS_KEY_{name.upper()}")
        monkeypatch.setattr(auth_util, f"environment_access_key_{name}", None)
    fetch("jobs", *PERIOD, code=3)
    assert "no key was found; set ALIBABA_CLOUD_ACCESS_KEY_ID" in fetch.err


def test_only_one_module_knows_the_client_and_only_the_command_line_fetches() -> None:
    packages = ("alibabacloud_", "darabonba", "Tea")
    knows = {name for name, tree in modules() for imported in imports_of(tree) if imported.startswith(packages)}
    assert knows == {"mps_bill.fetch.provider"}
    importers = {
        name for name, tree in modules() for imported in imports_of(tree) if imported.startswith("mps_bill.fetch")
    }
    assert {name for name in importers if not name.startswith("mps_bill.fetch")} == {"mps_bill.cli.fetch"}


def test_the_client_is_loaded_when_it_is_needed() -> None:
    script = "from mps_bill.cli import run; import sys; run(['fetch', 'jobs', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "mps_bill.cli.fetch" in done.stdout
    assert not {"requests", "darabonba", "rich", "alibabacloud_tea_openapi"} & set(done.stdout.split())


def test_the_endpoints_of_the_provider() -> None:
    from mps_bill.fetch.listings import BSS, ICE, MTS

    assert MTS.endpoint("cn-shanghai") == "https://mts.cn-shanghai.aliyuncs.com"
    assert ICE.endpoint("ap-southeast-1") == "https://ice.ap-southeast-1.aliyuncs.com"
    assert BSS.endpoint("cn-hangzhou") == "https://business.aliyuncs.com"
    assert BSS.endpoint("us-west-1") == "https://business.ap-southeast-1.aliyuncs.com"


def test_the_documented_policy_has_each_action_and_reads_only() -> None:
    from mps_bill.fetch import listings

    text = (ROOT / "docs" / "fetch.md").read_text()
    policy = json.loads(text.partition("```json\n")[2].partition("```")[0])
    allowed = [action for statement in policy["Statement"] for action in statement["Action"]]
    codes = {"mts": "mts", "ice": "ice", "bssopenapi": "bssapi"}
    groups = [[*value.values()] if isinstance(value, dict) else [value] for value in vars(listings).values()]
    every = {id(one): one for group in groups for one in group if isinstance(one, listings.Listing)}.values()
    assert sorted(allowed) == sorted(f"{codes[one.product.name]}:{one.action}" for one in every)
    assert all(action.partition(":")[2].startswith(("List", "Get", "Query", "Describe")) for action in allowed)
