"""MPS jobs: which are audio and which are not, and incomplete lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import check_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.load_sheets import load_price_book
from tests.profiles.test_convert import converted, profile

AAC = {"AudioStream": [{"CodecName": "aac"}]}
H264 = {"CodecName": "h264", "Width": "1920", "Height": "1080"}
SIZE = {"Width": "1920", "Height": "1080"}
FILM = ["transcoding H264 1920x1080"]


@pytest.fixture(scope="module")
def book() -> PriceBook:
    found, problems = load_price_book(["mps-china"])
    assert found, problems
    return found


def job(
    properties: dict[str, Any], number: int = 0, location: str = "oss-cn-shanghai", **more: object
) -> dict[str, Any]:
    output = {"OutputFile": {"Location": location}, "Properties": {"Duration": "60", **properties}}
    return {
        "JobId": f"j{number}", "State": "TranscodeSuccess", "FinishTime": "2023-11-10T03:20:00Z", "Output": output, **more,
    }  # fmt: skip


def streams(video: object) -> dict[str, Any]:
    return {"Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": video}}}


def answer(*jobs: dict[str, Any], **more: object) -> str:
    return json.dumps({"JobList": {"Job": list(jobs)}, **more})


def outcome(file: Path, book: PriceBook, constants: dict[str, str] | None = None) -> list[str]:
    """The item and spec of each billed row, or the kinds of the problems."""
    with converted(file, using=profile("mps-job-list", constants)) as (one,):
        check = check_usage([one.source], book, MeterOptions(bill_good_rows=True))
        rows = list(one.source.rows()) if one.source.rows else []
    names = rows[0].fields
    billed = [
        f"{row['item']} {row['codec']} {row['width']}x{row['height']}"
        for row in (dict(zip(names, row.fields, strict=True)) for row in rows[1:] if not row.flaws)
    ]
    problems = [problem.kind.slug for problem in check.problems.shown]
    return problems or billed


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        # Audio: neither a size nor a video stream.
        ({"Streams": {"AudioStreamList": AAC}}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": []}}}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": {}}}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": ""}}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": []}}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": AAC}, "Width": "", "Height": None}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": AAC}, "Width": "0", "Height": 0}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": {"AudioStream": {"CodecName": "mp3"}}}}, ["audio_transcoding  x"]),
        ({"Streams": {"AudioStreamList": {"AudioStream": [{"CodecName": "MP3"}]}}}, ["audio_transcoding  x"]),
        # Video, however its stream is written.
        ({**SIZE, "Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": [H264]}}}, FILM),
        ({**SIZE, "Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": H264}}}, FILM),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": H264}}}, FILM),
        ({"Width": "0", "Height": "0", "Streams": {"VideoStreamList": {"VideoStream": [H264]}}}, FILM),
        ({**SIZE, "Streams": {"VideoStreamList": {"VideoStream": [{"CodecName": "HEVC"}]}}}, ["transcoding H265 1920x1080"]),
        # Video whose codec or size cannot be read is refused, never billed as audio.
        ({**SIZE, "Streams": {"AudioStreamList": AAC}}, ["missing-value"]),
        ({"Height": "1080", "Streams": {"AudioStreamList": AAC}}, ["bad-size"]),
        ({**SIZE, **streams([{"CodecName": ""}])}, ["missing-value"]),
        ({**SIZE, **streams([{"CodecName": None}])}, ["missing-value"]),
        ({**streams([{"CodecName": ""}])}, ["missing-value"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": [{}]}}}, ["missing-value"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": [None]}}}, ["missing-value"]),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": [{"VideoStream": [H264]}]}}, ["not-a-value"] * 3),
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": [H264]}, **SIZE}, ["not-a-value"]),
        ({"Streams": [{"AudioStreamList": AAC}]}, ["not-a-value"] * 3),
        *(({"Streams": {"AudioStreamList": AAC, "VideoStreamList": bad}}, ["not-a-value"] * 3) for bad in ("h264", 1, True)),
        *(({"Streams": {"AudioStreamList": AAC, **SIZE, "VideoStreamList": {"VideoStream": bad}}}, ["not-a-value"] * 3)
          for bad in ("h264", 7)),
        ({"Streams": {"AudioStreamList": "aac"}}, ["not-a-value"]),
        ({"Streams": "none", **SIZE}, ["not-a-value"]),
        # A cover picture in a sound file is a video stream; next to a film it is ignored.
        ({"Streams": {"AudioStreamList": AAC, "VideoStreamList": {"VideoStream": [{"CodecName": "mjpeg"}]}}}, ["unknown-word"]),
        ({**SIZE, "Streams": {"VideoStreamList": {"VideoStream": [H264, {"CodecName": "mjpeg"}]}}}, FILM),
        ({**SIZE, "Streams": {"VideoStreamList": {"VideoStream": [{"CodecName": "png"}, H264]}}}, ["unknown-word"]),
    ],
)  # fmt: skip
def test_a_job_is_audio_only_without_size_and_video_stream(
    tmp_path: Path, book: PriceBook, properties: dict[str, Any], expected: list[str]
) -> None:
    file = tmp_path / "jobs.json"
    file.write_text(answer(job(properties)))
    assert outcome(file, book) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("AAC,,", ["audio_transcoding  x"]),
        ("AAC,0,0", ["audio_transcoding  x"]),
        ("AAC,1920,1080", ["missing-value"]),
        (",1920,1080", ["missing-value"]),
        ("hevc,1920,1080", ["transcoding H265 1920x1080"]),
        ("H.264,0,1080", ["bad-size"]),
    ],
)
@pytest.mark.parametrize("header", ["Codec,Width,Height", "codec,width,height"])
def test_jobs_as_csv_have_the_same_items(
    tmp_path: Path, book: PriceBook, header: str, row: str, expected: list[str]
) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text(f"JobId,State,FinishTime,Duration,{header}\nj,TranscodeSuccess,2023-11-10T03:20:00Z,60,{row}\n")
    assert outcome(file, book, {"region": "cn-shanghai"}) == expected


def test_an_object_where_a_list_is_expected_keeps_the_places_of_its_values(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    text = answer(job({"Streams": {"VideoStreamList": {"VideoStream": {"CodecName": "vp9"}}}}))
    file.write_text(text)
    with converted(file, using=profile("mps-job-list")) as (one,):
        [flaw] = [flaw for row in one.source.rows() for flaw in row.flaws]  # type: ignore[misc]
    assert text[flaw.column - 1 :].startswith('"vp9"')


def test_a_value_in_place_of_an_object_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    text = answer(job({"Streams": {"AudioStreamList": AAC, "VideoStreamList": "h264"}}))
    file.write_text(text)
    with converted(file, using=profile("mps-job-list")) as (one,):
        flaws = [flaw for row in one.source.rows() for flaw in row.flaws]  # type: ignore[misc]
    assert {text[flaw.column - 1 :][:6] for flaw in flaws} == {'"h264"'}
    assert flaws[0].message == (
        'Output.Properties.Streams.VideoStreamList is "h264"; codec needs an object with VideoStream.0.CodecName'
    )


AUDIO = {"Streams": {"AudioStreamList": AAC}}
#: Pages of a listing by name; those of `b` are for another region.
FIRST = answer(job(AUDIO, 1), NextPageToken="t1")
SECOND = answer(job(AUDIO, 2), NextPageToken="t2")
LAST = answer(job(AUDIO, 3))
ELSEWHERE = answer(job(AUDIO, 4, "oss-cn-beijing"))
ELSEWHERE_FIRST = answer(job(AUDIO, 5, "oss-cn-beijing"), NextPageToken="t1")
ERROR = json.dumps({"Code": "Throttling", "RequestId": "x"})


def missing(folder: Path, *documents: str, constants: dict[str, str] | None = None) -> list[str]:
    """The problems of the files, one file for each document."""
    files = []
    for number, document in enumerate(documents):
        files.append(folder / f"{number}.json")
        files[-1].write_text(document)
    try:
        with converted(*files, using=profile("mps-job-list", constants)):
            return []
    except InputRejected as rejected:
        return [str(problem).removeprefix(f"{folder}/") for problem in rejected.report.shown]


@pytest.mark.parametrize(
    "documents",
    [
        (LAST,),
        (FIRST, SECOND, LAST),
        (LAST, SECOND, FIRST),
        (f"{FIRST}\n{SECOND}\n{LAST}",),
        (f"{FIRST}\n{LAST}\n{ELSEWHERE_FIRST}\n{ELSEWHERE}",),
        (f"{FIRST}\n{SECOND}", LAST),
        (f"{FIRST}\n{LAST}", ELSEWHERE_FIRST, ELSEWHERE),
        (FIRST, answer()),
        (LAST, ELSEWHERE),
        (FIRST, LAST, ELSEWHERE_FIRST, ELSEWHERE),
        *((answer(job(AUDIO), NextPageToken=token),) for token in ("", "  ", None, False, [], {})),
        (answer(job(AUDIO), NonExistJobIds={"String": []}),),
        (answer(job(AUDIO), NonExistJobIds=[]),),
        (answer(job(AUDIO), NonExistJobIds=None),),
    ],
)
def test_a_list_with_its_last_page_is_complete(tmp_path: Path, documents: tuple[str, ...]) -> None:
    assert missing(tmp_path, *documents) == []


@pytest.mark.parametrize(
    ("documents", "places"),
    [
        ((FIRST,), ["0.json"]),
        ((FIRST, SECOND), ["1.json"]),
        ((f"{FIRST}\n{SECOND}",), ["0.json:2"]),
        # Each query has its own last page, after the others in its file.
        ((f"{FIRST}\n{LAST}\n{SECOND}",), ["0.json:3"]),
        ((f"{SECOND}\n{LAST}\n{FIRST}",), ["0.json:3"]),
        ((f"{FIRST}\n{LAST}", f"{FIRST}\n{SECOND}"), ["1.json:2"]),
        ((FIRST, ERROR), ["0.json"]),
        ((FIRST, ELSEWHERE), ["0.json"]),
        ((FIRST, ELSEWHERE_FIRST), ["0.json", "1.json"]),
        ((answer(NextPageToken="t"),), ["0.json"]),
        ((answer(job(AUDIO), NextPageToken=7),), ["0.json"]),
    ],
)
def test_a_list_without_its_last_page_is_refused(tmp_path: Path, documents: tuple[str, ...], places: list[str]) -> None:
    found = missing(tmp_path, *documents)
    assert [one.split(": ")[0].startswith(place) for one, place in zip(found, places, strict=True)] == [True] * len(
        places
    )
    assert all("announces another page, and the last page is missing" in one for one in found)
    assert all(one.endswith("[I108 incomplete-answer]") for one in found)


def test_a_given_region_applies_to_all_pages(tmp_path: Path) -> None:
    assert missing(tmp_path, FIRST, ELSEWHERE, constants={"region": "cn-shanghai"}) == []


@pytest.mark.parametrize("ids", [{"String": ["a1", "b2"]}, ["a1", "b2"]])
def test_jobs_that_the_provider_does_not_know_are_refused(tmp_path: Path, ids: object) -> None:
    text = answer(job(AUDIO), NonExistJobIds=ids)
    [found] = missing(tmp_path, text)
    assert found.startswith(
        f'0.json:1:{text.index("NonExistJobIds") + 18}: NonExistJobIds names "a1", "b2": MPS does not'
    )


@pytest.mark.parametrize("name", ["ims-metering", "vod-metering"])
@pytest.mark.parametrize(
    ("times", "refused"),
    [
        (("2023-11-09T16:00:00Z", "2023-11-10T16:00:00Z"), True),
        (("2023-11-10T00:00:00Z", "2023-11-11T00:00:00Z", "2023-11-11T00:00:00Z"), True),
        (("2023-11-10T00:00:00Z", "2023-11-10T16:00:00Z"), False),
        (("2023-11-10T00:00:00Z", "2023-11-10T01:00:00Z", "2023-11-11T00:00:00Z"), False),
        (("2023-11-10T00:00:00Z",), False),
        (("2023-11-10T05:00:00Z", "2023-11-11T05:00:00Z"), False),
    ],
)
def test_metering_rows_that_are_all_at_midnight_are_daily_sums(
    tmp_path: Path, name: str, times: tuple[str, ...], refused: bool
) -> None:
    """One file for each day's answer."""
    from mps_bill.core.times import parse_second

    files = []
    for number, time in enumerate(times):
        row = {"Time": parse_second(time), "Specification": "Audio", "Duration": number}
        item = {
            "TimeStamp": time,
            "Data": {"DataItem": [{"Name": "Audio", "Value": number}, {"Name": "All", "Value": 9}]},
        }
        files.append(tmp_path / f"{number}.json")
        text = {"Data": [row]} if name == "ims-metering" else {"TranscodeData": {"TranscodeDataItem": [item]}}
        files[-1].write_text(json.dumps(text))
    using = profile(name, {"region": "cn-shanghai"})
    if not refused:
        with converted(*files, using=using) as found:
            assert [one.rows for one in found] == [1] * len(times)
        return
    with pytest.raises(InputRejected) as caught, converted(*files, using=using):
        pass
    [problem] = caught.value.report.shown
    assert str(problem).startswith(f"{files[0]}:1:")
    assert problem.kind.slug == "daily-sums"
    assert "these are daily sums" in problem.message


def test_rows_at_local_midnight_in_a_table_are_daily_sums(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("TimeStamp,Name,Value\n2023-11-10 00:00:00,Audio,1\n2023-11-11 00:00:00,Audio,1\n")
    using = profile("vod-metering", {"region": "cn-shanghai"})
    with pytest.raises(InputRejected) as caught, converted(file, using=using):
        pass
    assert [problem.kind.slug for problem in caught.value.report.shown] == ["daily-sums"]
