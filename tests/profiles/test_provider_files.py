"""Files as clients, scripts and the provider really write them: wrapped, in camelCase, in XML, several documents in a file."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import FOREIGN_FORMATS, FORMATS, usage_sources
from mps_bill.pipeline import bill_usage
from mps_bill.price_sheet.load_sheets import load_price_book
from mps_bill.profiles.convert import Converted, check_rows
from mps_bill.profiles.find_profile import find_profile
from mps_bill.profiles.profile_model import Profile
from tests.kit import read_profile
from tests.profiles.test_convert import converted, profile

LENGTH = "600.120001"


def job(name: str = "a", template: str = "", **more: object) -> dict[str, Any]:
    properties = {
        "Width": "1920", "Height": "823", "Format": {"Duration": LENGTH},
        "Streams": {"VideoStreamList": {"VideoStream": [{"CodecName": "h264"}]}},
    }  # fmt: skip
    output = {"OutputFile": {"Location": "oss-cn-shanghai"}, "TemplateId": template, "Properties": properties}
    return {"JobId": name, "State": "TranscodeSuccess", "FinishTime": "2023-11-10T03:20:00Z", "Output": output, **more}


def page(*jobs: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"RequestId": "r", "JobList": {"Job": list(jobs)}, **more}


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: camel(member) for key, member in value.items()}
    return [camel(member) for member in value] if isinstance(value, list) else value


def xml(value: Any, name: str) -> str:
    if isinstance(value, dict):
        return f"<{name}>\n" + "".join(xml(member, key) for key, member in value.items()) + f"</{name}>\n"
    if isinstance(value, list):
        return "".join(xml(member, name) for member in value)
    return f"<{name}>{value}</{name}>\n"


def lines(*documents: object) -> str:
    return "\n".join(json.dumps(document) for document in documents)


A, B, C = job("a"), job("b"), job("c")


def rows(one: Converted) -> list[dict[str, str]]:
    assert one.source.rows
    header, *others = one.source.rows()
    assert not [flaw.message for row in others for flaw in row.flaws]
    return [dict(zip(header.fields, row.fields, strict=True)) for row in others]


def rejection(*files: Path, using: Profile) -> list[str]:
    with pytest.raises(InputRejected) as caught, converted(*files, using=using):
        pass
    return [str(problem) for problem in caught.value.report.shown]


def written(folder: Path, text: str, name: str = "x.json") -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("text", "jobs"),
    [
        (lines({"headers": {"x": "1"}, "statusCode": 200, "body": page(A, B)}), "ab"),
        (lines({"Code": "200", "Data": page(A, B)}), "ab"),
        (lines(camel({"body": page(A, B)})), "ab"),
        (lines({"JobList": {"Job": A}}), "a"),
        (lines([A, B]), "ab"),
        (lines(camel([A, B])), "ab"),
        (lines(A, B), "ab"),
        (lines([page(A), page(B)]), "ab"),
        (lines({"request": {"Action": "ListJob"}, "response": page(A)}, {"request": {}, "body": page(B, C)}), "abc"),
        (lines({"request": {}, "body": json.dumps(page(A, B))}), "ab"),
        (json.dumps(page(A)) + json.dumps(page(B)), "ab"),
        (lines({"JobList": {}}, {"JobList": {"Job": []}}, {"JobList": []}, page(A)), "a"),
        (xml(page(A, B), "ListJobResponse"), "ab"),
        (xml({"JobList": {"Job": A}}, "QueryJobListResponse"), "a"),
        ('<?xml version="1.0"?>' + xml(page(A), "R") + '<?xml version="1.0"?>\n' + xml(page(B, C), "R"), "abc"),
        ('<R><JobList list="true"/></R>\n' + xml(page(A), "R"), "a"),
    ],
    ids=[
        *("body", "Data", "camel", "one", "bare", "bare-camel", "lines", "list-of-pages", "request-response", "text"),
        *("concatenated", "empty", "xml", "xml-one", "xml-several", "xml-empty"),
    ],
)
def test_jobs_are_read_in_every_wrapper_with_their_digits(text: str, jobs: str, tmp_path: Path) -> None:
    with converted(written(tmp_path, text), using=profile("mps-job-list")) as (one,):
        found = rows(one)
    assert "".join(row["job_id"] for row in found) == jobs
    for row in found:
        assert (row["item"], row["codec"], row["width"], row["height"]) == ("transcoding", "H264", "1920", "823")
        assert (row["quantity"], row["region"], row["completed_at"]) == (LENGTH, "cn-shanghai", "2023-11-10T03:20:00Z")


@pytest.mark.parametrize("number", ["0.1000000000000000055", "1e2", "123456789012.000001"])
def test_numbers_keep_their_digits_in_json_and_xml(number: str, tmp_path: Path) -> None:
    texts = (
        f'{{"body": {{"Data": [{{"Time": 1699585200, "Specification": "Audio", "Duration": {number}}}]}}}}',
        f"<R><Data><Time>1699585200</Time><Specification>Audio</Specification><Duration>{number}</Duration></Data></R>",
    )
    for text in texts:
        using = profile("ims-metering", {"region": "cn-shanghai"})
        with converted(written(tmp_path, text), using=using) as (one,):
            assert [row["quantity"] for row in rows(one)] == [number]


def test_documents_and_answers_are_counted(tmp_path: Path) -> None:
    text = lines(page(A), [page(B), page(C), A])
    with converted(written(tmp_path, text), using=profile("mps-job-list")) as (one,):
        assert (one.documents, one.answers, one.records, one.rows) == (2, 3, 4, 4)


def test_a_value_keeps_its_place_in_wrappers_and_xml(tmp_path: Path) -> None:
    bad = job("a", FinishTime="soon")
    text = '[\n{"body":\n ' + json.dumps(camel(page(bad))) + "}]"
    with converted(written(tmp_path, text), using=profile("mps-job-list")) as (one,):
        (problem,) = check_rows(one.source)
    column = text.split("\n")[2].index('"soon"') + 1
    assert (problem.place.line, problem.place.column) == (3, column)
    text = xml(page(A, bad), "ListJobResponse")
    with converted(written(tmp_path, text), using=profile("mps-job-list")) as (one,):
        (problem,) = check_rows(one.source)
        assert one.source.rows
        *_, last = one.source.rows()
    line = next(number for number, line in enumerate(text.split("\n"), 1) if "soon" in line)
    assert (problem.place.line, problem.place.column) == (line, 1)
    assert last.raw.startswith(b"<Job>")
    assert last.raw.endswith(b"</Job>")
    assert b"soon" in last.raw


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ('<!DOCTYPE R [<!ENTITY a "b">]><R>&a;</R>', "1:", "document type"),
        ("<R><JobList><Job>&a;</Job></JobList></R>", "1:18:", "undefined entity"),
        ("<R>\n <JobList></R>", "2:", "mismatched tag"),
        ("<R><JobList>text<Job/></JobList></R>", "1:", 'the element "JobList" has both text and elements'),
        ("<R/>junk", "1:5:", "syntax error"),
        ("<R>" * 101 + "</R>" * 101, "1:301:", "nested too deeply"),
        ("<R>\udcff</R>", "1:", "not well-formed"),
    ],
)
def test_xml_that_is_not_plain_is_refused_with_its_place(text: str, place: str, part: str, tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = rejection(file, using=profile("mps-job-list"))
    assert len(found) == 1
    assert f"x.xml:{place}" in found[0]
    assert part in found[0]


@pytest.mark.parametrize(
    "text", ['{"body": "{\\"JobList\\": "}', '{"body": "[] x"}', '{"body": "{\\"a\\": 1, \\"a\\": 2}"}']
)
def test_a_text_in_a_wrapper_that_is_not_json_is_refused(text: str, tmp_path: Path) -> None:
    (found,) = rejection(written(tmp_path, text), using=profile("mps-job-list"))
    assert 'x.json:1:10: in the text of "body"' in found


@pytest.mark.parametrize(
    "text",
    [
        '{"JobList": "none"}',
        '{"JobList": {"Job": 1}}',
        '{"body": {"Code": "Throttling"}}',
        '{"body": "gone"}',
        "[[1]]",
        "1",
    ],
)
def test_an_answer_without_records_is_a_rejected_row(text: str, tmp_path: Path) -> None:
    file = written(tmp_path, text if text.startswith(("{", "[")) else "[1]")
    with converted(file, using=profile("mps-job-list")) as (one,):
        assert [problem.kind.slug for problem in check_rows(one.source)] == ["no-records"]


SUBMITTED = {"JobResultList": {"JobResult": [{"Success": True, "Job": {"JobId": "a"}}, {"Job": {"JobId": "z"}}]}}
NOTICE = {"jobId": "z", "requestId": "r", "Type": "Transcode", "state": "Success", "State": "Success", "JobId": "z"}
LISTED = {"Jobs": [{"ParentJobId": "P1", "Status": "Success"}, {"ParentJobId": "P2", "Status": "Success"}]}


def sub_job(name: str, parent: str = "P1", **more: object) -> dict[str, Any]:
    basics = {"Duration": "403.039999", "Width": "1280", "Height": "720", "Region": "cn-shanghai"}
    streams = {"VideoStreamInfoList": [{"Codec_name": "hevc"}], "AudioStreamInfoList": [{"CodecName": "aac"}]}
    return {
        "JobId": name, "ParentJobId": parent, "Status": "Success", "FinishTime": "2023-11-10T03:20:00Z",
        "OutFileMeta": {"FileBasicInfo": basics, **streams}, **more,
    }  # fmt: skip


def parent(name: str, *jobs: dict[str, Any]) -> dict[str, Any]:
    return {"TranscodeParentJob": {"ParentJobId": name, "Status": "Success", "TranscodeJobList": list(jobs)}}


@pytest.mark.parametrize(
    ("name", "documents", "ids", "part"),
    [
        ("mps-job-list", [SUBMITTED], '"a", "z"', "SubmitJobs has no lengths; call QueryJobList"),
        ("mps-job-list", [SUBMITTED, page(A)], '"z"', "call QueryJobList for these job ids"),
        ("mps-job-list", [NOTICE, {"jobId": "y", "type": "Transcode"}], '"z", "y"', "a notification has no length"),
        ("mps-job-list", [[NOTICE, A]], '"z"', "call QueryJobList for these job ids"),
        ("ims-jobs", [LISTED], '"P1", "P2"', "neither lengths nor sizes; call GetTranscodeJob"),
        ("ims-jobs", [LISTED, {"body": parent("P1", sub_job("s1"))}], '"P2"', "call GetTranscodeJob"),
    ],
)
def test_the_message_for_answers_without_lengths_says_what_to_request(
    name: str, documents: list[object], ids: str, part: str, tmp_path: Path
) -> None:
    (found,) = rejection(written(tmp_path, lines(*documents)), using=profile(name))
    assert "x.json:1:" in found
    assert f"names {ids}: " in found
    assert part in found


@pytest.mark.parametrize(
    ("name", "documents"),
    [
        ("mps-job-list", [SUBMITTED, NOTICE, page(A, job("z"))]),
        ("ims-jobs", [LISTED, parent("P1", sub_job("s1")), parent("P2", sub_job("s2", "P2"))]),
    ],
)
def test_a_listing_whose_jobs_are_all_answered_is_complete(name: str, documents: list[object], tmp_path: Path) -> None:
    with converted(written(tmp_path, lines(*documents)), using=profile(name)) as (one,):
        assert len(rows(one)) == 2
        assert one.documents == len(documents)


def test_a_listing_needs_its_last_page_and_answers_for_single_jobs_are_not_listings(tmp_path: Path) -> None:
    documents = [{**LISTED, "NextPageToken": "t"}, parent("P1", sub_job("s1")), parent("P2", sub_job("s2", "P2"))]
    (found,) = rejection(written(tmp_path, lines(*documents)), using=profile("ims-jobs"))
    assert 'NextPageToken "t" announces another page' in found
    with converted(written(tmp_path, lines(*documents, {"Jobs": []})), using=profile("ims-jobs")) as (one,):
        assert one.rows == 2


def test_jobs_of_ims_have_codec_size_region_and_length_of_their_output(tmp_path: Path) -> None:
    audio = {"FileBasicInfo": {"Duration": "9", "Region": "cn-beijing"}, "AudioStreamInfoList": [{"CodecName": "mp3"}]}
    jobs = [
        sub_job("s1"), sub_job("s2", Status="Fail", OutFileMeta={}), sub_job("s3", Status="Init", FinishTime=""),
        sub_job("s4", OutFileMeta=audio),
    ]  # fmt: skip
    for document in (parent("P1", *jobs), camel({"body": parent("P1", *jobs)})):
        with converted(written(tmp_path, lines(document)), using=profile("ims-jobs")) as (one,):
            film, sound = rows(one)
            assert one.skipped == {"the job failed": 1, "the job is not finished": 1}
        assert [film[name] for name in ("item", "codec", "width", "height", "quantity", "region")] == [
            *("transcoding", "H265", "1280", "720", "403.039999", "cn-shanghai")
        ]
        assert [sound[name] for name in ("item", "codec", "quantity", "region")] == [
            *("audio_transcoding", "", "9", "cn-beijing")
        ]
    bad = sub_job("s1", OutFileMeta={"FileBasicInfo": {"Region": "cn-shanghai", "Width": "1"}})
    with converted(written(tmp_path, lines(parent("P1", bad))), using=profile("ims-jobs")) as (one,):
        (problem,) = check_rows(one.source)
    assert "no OutFileMeta.FileBasicInfo.Duration, which quantity is made from" in problem.message


def test_failed_jobs_without_finish_time_are_skipped_and_a_success_needs_its_length(tmp_path: Path) -> None:
    unfinished = {"FinishTime": None, "Output": {}}
    jobs = [
        A, job("b", State="TranscodeCancelled", **unfinished), job("c", State="TranscodeFail", **unfinished),
        job("d", State="TranscodeFail"), job("e", State="TranscodeFail", Output={"OutputFile": A["Output"]["OutputFile"]}),
    ]  # fmt: skip
    with converted(written(tmp_path, lines(page(*jobs))), using=profile("mps-job-list")) as (one,):
        assert [(row["job_id"], row["status"]) for row in rows(one)] == [
            ("a", "success"),
            ("d", "failed"),
            ("e", "failed"),
        ]
        assert one.skipped == {"the job failed or was cancelled, and has no FinishTime": 2}
    bad = [job("a", FinishTime=None), job("b", Output={"OutputFile": A["Output"]["OutputFile"]})]
    with converted(written(tmp_path, lines(page(*bad))), using=profile("mps-job-list")) as (one,):
        messages = [problem.message for problem in check_rows(one.source)]
    assert len(messages) == 2
    assert "no FinishTime" in messages[0]
    assert "no Output.Properties.Format.Duration, Output.Properties.Duration or Duration" in messages[1]


@pytest.mark.parametrize(
    ("template", "item"),
    [
        ("S00000002-000020", "narrowband_hd_1"), ("S00000002-200070", "narrowband_hd_1"),
        ("S00000003-200050", "narrowband_hd_2"), ("S00000003-400070", "narrowband_hd_2"),
        ("S00000001-100000", "transmuxing"), ("S00000001-300050", "audio_transcoding"),
        ("S00000001-200030", "transcoding"), ("S00000000-200050", "transcoding"),
        ("S00000002-200030", "narrowband_hd_1"), ("S00000001-100041", "transcoding"),
        ("S00000001-210021", "transcoding"),
    ],
)  # fmt: skip
def test_preset_templates_determine_the_item(template: str, item: str, tmp_path: Path) -> None:
    of_ims = parent("P1", sub_job("s1", ProcessConfig={"Transcode": {"TemplateId": template}}))
    with converted(written(tmp_path, lines(of_ims)), using=profile("ims-jobs", {"deleted": "failed"})) as (one,):
        assert [row["item"] for row in rows(one)] == [item]
        assert not one.templates
    with converted(written(tmp_path, lines(page(job("a", template)))), using=profile("mps-job-list")) as (one,):
        assert [row["item"] for row in rows(one)] == [item]
        assert not one.templates
    using = profile("mps-job-list", {"item": "editing_basic"})
    with converted(written(tmp_path, lines(page(job("a", template)))), using=using) as (one,):
        assert [row["item"] for row in rows(one)] == ["editing_basic"]


OWN = """format: mps-bill/profile/1
id: own
name: our templates
extends: mps-job-list
templates:
  ours: {item: narrowband_hd_1, spec: H264.HD.NarrowBandHDV1}
  S00000001-200030: {item: editing_basic}
"""


def test_unknown_templates_are_counted_and_a_user_profile_can_name_them(tmp_path: Path) -> None:
    text = lines(
        page(
            *(job(name, "ours") for name in "ab"),
            job("c", "other"),
            job("d", "other", State="TranscodeFail"),
            C | {"JobId": "e"},
        )
    )
    with converted(written(tmp_path, text), using=profile("mps-job-list")) as (one,):
        assert dict(one.templates) == {"ours": 2, "other": 1}
    with converted(written(tmp_path, text), using=profile("mps-job-list", {"item": "transcoding"})) as (one,):
        assert not one.templates
    own, problems = read_profile(OWN, "own.yaml")
    assert own, problems
    with converted(written(tmp_path, text), using=own) as (one,):
        assert [(row["item"], row["spec"]) for row in rows(one)] == [
            *[("narrowband_hd_1", "H264.HD.NarrowBandHDV1")] * 2,
            *[("transcoding", "")] * 3,
        ]
        assert dict(one.templates) == {"other": 1}
    with converted(written(tmp_path, lines(page(job("a", "S00000001-200030")))), using=own) as (one,):
        assert [row["item"] for row in rows(one)] == ["editing_basic"]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("extends: mps-job-list", "extends: mps-job-lists", "no-such-profile"),
        ("extends: mps-job-list\n", "", "missing-columns"),
        ("{item: narrowband_hd_1, ", "{", "missing-key"),
    ],
)
def test_an_extending_profile_is_checked(old: str, new: str, kind: str) -> None:
    own, problems = read_profile(OWN.replace(old, new), "own.yaml")
    assert own is None
    assert [problem.kind.slug for problem in problems] == [kind]


def metered(**row: object) -> str:
    return lines({"RequestId": "r", "Data": [{"Time": 1699585200, **row}]})


ENHANCED = metered(Specification="SuperResolution.Standard.1080P", Duration=308028)


@pytest.mark.parametrize(
    ("fps", "length", "frames"),
    [
        ("25", "308028", "462042000"),
        ("29.97", "1.5", "2697.3"),
        ("23.976", "0.01", "14.3856"),
        ("25", "0.1000001", "150.00015"),
    ],
)
def test_minutes_of_enhancement_are_frames_exactly(fps: str, length: str, frames: str, tmp_path: Path) -> None:
    text = ENHANCED.replace("308028", length)
    using = profile("ims-enhancement", {"region": "cn-shanghai", "fps": fps})
    with converted(written(tmp_path, text), using=using) as (one,):
        (row,) = rows(one)
    assert (row["quantity"], row["unit"], row["item"]) == (frames, "frame", "super_resolution_standard")
    assert row["spec"] == "SuperResolution.Standard.1080P"


def test_frames_per_second_are_requested_and_checked(tmp_path: Path) -> None:
    assert profile("ims-enhancement", {"region": "x"}).missing_parameters == ("fps",)
    for fps in ("x", "30000/1001", "2.5e1"):
        using = profile("ims-enhancement", {"region": "cn-shanghai", "fps": fps})
        with converted(written(tmp_path, ENHANCED), using=using) as (one,):
            (problem,) = check_rows(one.source)
        assert f"--set fps={fps} is not a plain decimal" in problem.message


@pytest.mark.parametrize(
    ("given", "item", "spec"),
    [
        ({}, "editing_basic", "H264.HD"),
        ({"codec": "H265"}, "editing_basic", "H265.HD"),
        ({"item": "editing_advanced"}, "editing_advanced", "H264.HD"),
    ],
)
def test_editing_has_documented_defaults(given: dict[str, str], item: str, spec: str, tmp_path: Path) -> None:
    using = profile("ims-editing", {"region": "cn-shanghai", **given})
    with converted(written(tmp_path, metered(Profile="1080P", Duration=1.23)), using=using) as (one,):
        (row,) = rows(one)
    assert (row["item"], row["spec"], row["quantity"], row["unit"]) == (item, spec, "1.23", "minute")


def test_the_kind_of_review_and_production_is_requested(tmp_path: Path) -> None:
    text = lines({"Data": [{"Time": 1699585200, "Type": kind, "Duration": 644} for kind in ("Censor", "Product")]})
    region = {"region": "cn-shanghai"}
    with converted(written(tmp_path, text), using=profile("ims-ai", region)) as (one,):
        messages = [problem.message for problem in check_rows(one.source)]
    assert ["review" in messages[0], "--set production=..." in messages[-1]] == [True, True]
    using = profile("ims-ai", {**region, "review": "porn", "production": "smart_tag"})
    with converted(written(tmp_path, text), using=using) as (one,):
        assert [(row["item"], row["spec"]) for row in rows(one)] == [("review", "porn"), ("smart_tag", "")]


def test_every_new_profile_makes_usage_that_is_billed(tmp_path: Path) -> None:
    book, problems = load_price_book(["mps-china"])
    assert book, problems
    region = {"region": "cn-shanghai"}
    cases: list[tuple[str, str, dict[str, str], str]] = [
        ("ims-enhancement", ENHANCED.replace("308028", "10"), {**region, "fps": "25"}, "48.825"),
        ("ims-editing", metered(Profile="1080P", Duration=10), region, "0.651"),
        ("ims-ai", metered(Type="Product", Duration=10), {**region, "production": "smart_tag"}, "3"),
        ("ims-jobs", lines(parent("P1", sub_job("s1"))), {}, "1.09536"),
        ("mps-job-list", xml(page(job("a", "S00000002-200050")), "ListJobResponse"), {}, "1.953"),
    ]
    for name, text, given, amount in cases:
        with converted(written(tmp_path, text), using=profile(name, given)) as (one,):
            (bill,) = bill_usage([one.source], book, MeterOptions()).bills
        assert [f"{line.amount.normalize():f}" for line in bill.lines] == [amount], name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (lines(page(A)), "mps-job-list"),
        (lines(camel([A])), "mps-job-list"),
        (xml(page(A), "R"), "mps-job-list"),
        (lines({"JobList": {}}, page(A)), "mps-job-list"),
        (lines(SUBMITTED), "mps-job-list"),
        (lines(NOTICE), "mps-job-list"),
        (lines(LISTED), "ims-jobs"),
        (lines({"request": {}, "response": parent("P1", sub_job("s1"))}), "ims-jobs"),
        (metered(Specification="H264.HD", Duration=1), "ims-metering"),
        (ENHANCED, "ims-enhancement"),
        (metered(Profile="1080P", Duration=1), "ims-editing"),
        (metered(Type="Censor", Duration=1), "ims-ai"),
        ("JobId,State,FinishTime,Region\na,TranscodeSuccess,2023-11-10T03:20:00Z,cn-shanghai\n", "mps-job-list"),
        ("Time,Specification,Duration\n1699585200,HDR.Standard.4K,1\n", "ims-enhancement"),
        ("job_id,State,JobId\n", None),
        ("a,b\n1,2\n", None),
    ],
)
def test_a_profile_is_found_by_the_shape_of_the_file(text: str, name: str | None, tmp_path: Path) -> None:
    suffix = "json" if text[0] in "[{" else "xml" if text[0] == "<" else "csv"
    file = written(tmp_path, text, f"x.{suffix}")
    with usage_sources([str(file)], formats=(*FORMATS, *FOREIGN_FORMATS)) as (sources, problems):
        assert not problems
        found = find_profile(sources)
    assert (found[0].id if found else None) == name


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (lines({"Code": "Throttling", "Message": "m"}), "begins with an error of the provider, Throttling: m"),
        (lines([1]), "begins with a list"),
        (metered(Specification="H999", Duration=1), "ims-enhancement or ims-metering can read this file"),
    ],
)
def test_a_file_that_no_profile_knows_is_refused_with_its_beginning(text: str, part: str, tmp_path: Path) -> None:
    file = written(tmp_path, text)
    with usage_sources([str(file)], formats=FOREIGN_FORMATS) as (sources, _), pytest.raises(InputRejected) as caught:
        find_profile(sources)
    (problem,) = caught.value.report.shown
    assert part in problem.message
    assert problem.place.file == str(file)


def test_a_profile_with_an_unknown_factor_is_refused() -> None:
    text = OWN + "columns:\n  quantity: {field: Duration, times: ['60', fpss]}\nparameters:\n  fps: {about: frames}\n"
    own, problems = read_profile(text, "own.yaml")
    assert own is None
    assert "is neither a whole number nor a parameter" in problems[0].message


@pytest.mark.parametrize("action", ["Action", "action"])
def test_the_request_stored_with_an_answer_determines_the_profile_even_if_it_is_empty(
    action: str, tmp_path: Path
) -> None:
    names = {
        "DescribeMeterImsMediaConvertUHDUsage": "ims-enhancement", "DescribeMeterImsMediaConvertUsage": "ims-metering",
        "DescribeMeterImsEditUsage": "ims-editing", "DescribeMeterImsMpsAiUsage": "ims-ai", "ListJob": "mps-job-list",
        "GetTranscodeJob": "ims-jobs", "ListTranscodeJobs": "ims-jobs", "DescribeVodTranscodeData": "vod-metering",
    }  # fmt: skip
    for name, expected in names.items():
        file = written(tmp_path, lines({"request": {action: name}, "response": {"Data": []}}), "x.jsonl")
        with usage_sources([str(file)], formats=FOREIGN_FORMATS) as (sources, _):
            found = find_profile(sources)
        assert found, name
        assert found[0].id == expected


def test_usage_files_and_others_are_not_mixed_by_shape(tmp_path: Path) -> None:
    files = [written(tmp_path, "job_id,completed_at\n", "usage.csv"), written(tmp_path, lines(page(A)))]
    formats = (*FORMATS, *FOREIGN_FORMATS)
    with usage_sources(list(map(str, files)), formats=formats) as (sources, _), pytest.raises(InputRejected) as caught:
        find_profile(sources)
    (problem,) = caught.value.report.shown
    assert problem.place.file == str(files[0])
    assert f"this is a usage file, but {files[1]} is not" in problem.message


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("x.json", b"", "empty-file"),
        ("x.jsonl", b" \n", "empty-file"),
        ("x.xml.gz", b"\x1f\x8b\x08\x00", "unreadable-file"),
        ("x.json", b"a,b\n1,2\n", "no-profile"),
        ("x.json", b"job_id,completed_at\n", "no-profile"),
        ("x.csv", b"", None),
        ("x.csv.gz", b"\x1f\x8b\x08\x00", None),
        ("x.csv", b"a,b\n1,2\n", None),
    ],
)
def test_a_file_without_a_profile_goes_to_an_engine_only_if_it_is_a_table(
    name: str, data: bytes, kind: str | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with usage_sources([str(tmp_path / name)], formats=(*FORMATS, *FOREIGN_FORMATS)) as (sources, problems):
        assert not problems
        if kind is None:
            assert find_profile(sources) is None
            return
        with pytest.raises(InputRejected) as caught:
            find_profile(sources)
    assert [problem.kind.slug for problem in caught.value.report.shown] == [kind]


def _listed_job(number: int) -> str:
    return json.dumps(job(f"j{number}"))


def _page(number: int, asked: str, token: str) -> str:
    request = f'{{"action":"ListJob","parameters":{{"NextPageToken":"{asked}"}},"page":{number}}}'
    answer = f'{{"JobList":{{"Job":[{_listed_job(number)}]}},"NextPageToken":"{token}"}}'
    return f'{{"request":{request},"response":{answer}}}\n'


PAGES = [_page(1, "", "t2"), _page(2, "t2", "t3"), _page(3, "t3", "")]


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        (PAGES, ""),
        (PAGES[::-1], ""),
        (PAGES[:2], 'NextPageToken "t3" announces another page, which is missing'),
        ([PAGES[0], PAGES[2]], 'NextPageToken "t2" announces another page, which is missing'),
        (PAGES[1:], 'this page was requested by NextPageToken "t2", and the page before it is missing'),
    ],
)
def test_every_page_that_a_request_names_must_be_present(
    tmp_path: Path, pages: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jobs.jsonl").write_text("".join(pages))
    code = run(["bill", str(tmp_path / "jobs.jsonl"), "-p", "mps-china"])
    err = capsys.readouterr().err
    assert code == (3 if message else 0), err
    assert message in err


def _of(pages: list[str], region: str, first: int, start: str = "2023-11-10") -> list[str]:
    """The pages for another region or period, with the same tokens."""
    lines = [json.loads(page.replace('"JobId": "j', f'"JobId": "j{first}')) for page in pages]
    for line in lines:
        line["request"]["region"] = region
        line["request"]["parameters"]["StartOfJobCreatedTimeRange"] = f"{start}T00:00:00Z"
    return [f"{json.dumps(line)}\n" for line in lines]


@pytest.mark.parametrize(("region", "start"), [("cn-beijing", "2023-11-10"), ("cn-shanghai", "2023-11-11")])
@pytest.mark.parametrize(
    ("pages", "message"),
    [
        (PAGES, ""),
        (PAGES[:2], 'NextPageToken "t3" announces another page, which is missing'),
        (PAGES[1:], 'this page was requested by NextPageToken "t2", and the page before it is missing'),
    ],
)
@pytest.mark.parametrize("files", [1, 2])
def test_pages_of_another_region_or_period_with_equal_tokens_do_not_complete_a_listing(
    tmp_path: Path,
    pages: list[str],
    message: str,
    region: str,
    start: str,
    files: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole, other = "".join(_of(PAGES, "cn-shanghai", 1)), "".join(_of(pages, region, 2, start))
    texts = [whole + other] if files == 1 else [whole, other]
    paths = [str(written(tmp_path, text, f"{number}.jsonl")) for number, text in enumerate(texts)]
    code = run(["bill", *paths, "-p", "mps-china"])
    err = capsys.readouterr().err
    assert code == (3 if message else 0), err
    assert message in err


@pytest.mark.parametrize(
    "text",
    [
        f'{{"RequestId":"r","Jobs":[{_listed_job(1)},{_listed_job(2)}]}}',
        f'{{"Jobs":{{"Job":[{_listed_job(1)}]}}}}',
        '{"Jobs":[{"ParentJobId":"p"},{"JobId":"i1","Status":"Success"}]}',
    ],
)
def test_jobs_without_an_id_are_not_ignored(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jobs.json").write_text(text)
    code = run(["bill", str(tmp_path / "jobs.json"), "-p", "mps-china"])
    err = capsys.readouterr().err
    assert code == 3
    assert "have no Jobs[].ParentJobId and cannot be identified" in err


def test_an_error_of_the_provider_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jobs.json").write_text('{"RequestId":"r","Code":"Forbidden.RAM","Message":"not authorized"}')
    code = run(["bill", str(tmp_path / "jobs.json"), "-p", "mps-china"])
    err = capsys.readouterr().err
    assert code == 3
    assert "an error of the provider, Forbidden.RAM: not authorized" in err


@pytest.mark.parametrize(
    "text",
    [
        f'{{"JobList":{{"Job":[{_listed_job(1)}]}},"Jobs":[{_listed_job(2)}]}}',
        f'{{"JobList":{{"Job":[{_listed_job(1)}]}},"Data":{{"JobList":{{"Job":[{_listed_job(2)}]}}}}}}',
    ],
)
def test_a_second_list_of_records_is_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jobs.json").write_text(text)
    assert run(["bill", str(tmp_path / "jobs.json"), "-p", "mps-china"]) == 3
    assert 'and "JobList"; put them in one list' in capsys.readouterr().err


METER = {"Time": 1699585200, "Specification": "H264.HD", "Duration": 1}
REGION = {"region": "cn-shanghai"}


@pytest.mark.parametrize(
    ("name", "documents", "message"),
    [
        ("mps-job-list", [page(A, TotalCount=3)], "TotalCount is 3, and the files have 1; fetch the other pages too"),
        ("mps-job-list", [{"TotalCount": 3, "Data": page(A)}], "TotalCount is 3, and the files have 1"),
        ("mps-job-list", [{"Data": page(A), "NextPageToken": "t"}], 'NextPageToken "t" announces another page'),
        ("mps-job-list", [page(A, TotalCount=1), page(C, TotalCount=1)], ""),
        ("mps-job-list", [page(A, B, TotalCount=1), page(C, TotalCount=1)], "TotalCount is 1, and the files have 3"),
        ("mps-job-list", [page(A, TotalCount=0)], "TotalCount is 0, and the files have 1; a page is given twice"),
        ("mps-job-list", [page(A, TotalCount=2, PageNumber=1), page(B, TotalCount=2, PageNumber=2)], ""),
        ("mps-job-list", [page(B, TotalCount=2, PageNumber=2)], "TotalCount is 2, and the files have 1"),
        ("mps-job-list", [page(A, PageNumber=1), page(C, PageNumber=3)], "PageNumber 2 is missing; fetch the other"),
        ("mps-job-list", [page(A, TotalCount=2, PageNumber=1), page(B, TotalCount=2, PageNumber=1)],
         "TotalCount is 2, and the files have 2; fetch the other pages too"),
        ("ims-metering", [{"Data": [METER], "NextToken": "x", "MaxResults": 1}], 'NextToken "x" announces another page'),
        ("ims-metering", [{"Data": [METER], "NextToken": "", "TotalCount": 2}], "TotalCount is 2, and the files have 1"),
        ("ims-metering", [{"Data": [METER], "NextToken": "", "TotalCount": "1"}], ""),
        ("ims-jobs", [parent("P1", sub_job("s1"), sub_job("s2"))], "JobCount is 3, and the answer has 2 records"),
        ("ims-jobs", [LISTED | {"TotalCount": 3}, parent("P1"), parent("P2")], "TotalCount is 3, and the files have 2"),
    ],
)  # fmt: skip
def test_the_totals_that_an_answer_states_are_checked(
    name: str, documents: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    if "JobCount" in message:
        documents[0]["TranscodeParentJob"]["JobCount"] = "3"
    file = written(tmp_path, lines(*documents))
    using = profile(name, REGION if "metering" in name else None)
    if message:
        assert any(message in one for one in rejection(file, using=using))
    else:
        with converted(file, using=using) as (one,):
            assert one.rows


def test_the_number_of_sub_jobs_is_the_stated_one(tmp_path: Path) -> None:
    document = parent("P1", sub_job("s1"), sub_job("s2", Status="Fail", OutFileMeta={}))
    document["TranscodeParentJob"]["JobCount"] = 2
    with converted(written(tmp_path, lines(document)), using=profile("ims-jobs")) as (one,):
        assert (one.rows, one.records) == (1, 2)


@pytest.mark.parametrize(
    ("files", "pages"),
    [
        ([page(A, NextPageToken="t"), page(B)], 1),
        ([page(A)], 0),
        ([page(A, NextPageToken="t"), page(B, NextPageToken="u"), page(C)], 2),
    ],
)
def test_pages_without_their_requests_are_reported(
    files: list[object], pages: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bill", str(written(tmp_path, lines(*files))), "-p", "mps-china", "-q"]) == 0
    err = capsys.readouterr().err
    assert (f"Warning: {pages} page" in err) == bool(pages)
    assert ("a missing page cannot be detected" in err) == bool(pages)


def audio(template: str, **properties: object) -> dict[str, Any]:
    streams = {"AudioStreamList": {"AudioStream": [{"CodecName": "aac"}]}}
    more = {"Duration": "600", "Streams": streams, **properties}
    return job("a", Output={"OutputFile": A["Output"]["OutputFile"], "TemplateId": template, "Properties": more})


COVER = {
    "Width": "300",
    "Height": "300",
    "Streams": {
        "AudioStreamList": {"AudioStream": [{"CodecName": "mp3"}]},
        "VideoStreamList": {"VideoStream": [{"CodecName": "mjpeg"}]},
    },
}


@pytest.mark.parametrize(
    ("made", "item"),
    [
        (audio("S00000002-200030"), "audio_transcoding"),
        (audio("S00000003-200020"), "audio_transcoding"),
        (audio("S00000001-200030"), "audio_transcoding"),
        (audio("S00000001-100000"), "transmuxing"),
        (audio("S00000001-300010", **COVER), "audio_transcoding"),
        (job("a", "S00000002-200030"), "narrowband_hd_1"),
    ],
)
def test_an_output_with_only_audio_is_billed_as_audio_whatever_its_template(
    made: dict[str, Any], item: str, tmp_path: Path
) -> None:
    book, problems = load_price_book(["mps-china"])
    assert book, problems
    with converted(written(tmp_path, lines(page(made))), using=profile("mps-job-list")) as (one,):
        (row,) = rows(one)
        (bill,) = bill_usage([one.source], book, MeterOptions()).bills
    assert row["item"] == item
    if item == "audio_transcoding":
        assert [f"{line.amount.normalize():f}" for line in bill.lines] == ["0.056"]


def test_editing_of_audio_follows_the_users_own_profile(tmp_path: Path) -> None:
    own, problems = read_profile(OWN, "own.yaml")
    assert own, problems
    with converted(written(tmp_path, lines(page(audio("S00000001-200030")))), using=own) as (one,):
        assert [row["item"] for row in rows(one)] == ["editing_basic"]


def test_a_success_of_length_0_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = lines(page(A, job("b"), job("c", State="TranscodeFail"))).replace(LENGTH, "0.00")
    assert run(["bill", str(written(tmp_path, text)), "-p", "mps-china", "-q"]) == 0
    assert "Warning: 2 records of successful jobs with length 0, billed as 0" in capsys.readouterr().err


def test_the_user_must_say_whether_a_deleted_job_is_billed(tmp_path: Path) -> None:
    text = lines(parent("P1", sub_job("s1", Status="Deleted"), sub_job("s2", Status="Deleted", FinishTime="")))
    with converted(written(tmp_path, text), using=profile("ims-jobs")) as (one,):
        (problem,) = check_rows(one.source)
    assert 'Status is "Deleted": give --set deleted=...' in problem.message
    for meaning in ("success", "failed"):
        with converted(written(tmp_path, text), using=profile("ims-jobs", {"deleted": meaning})) as (one,):
            assert [row["status"] for row in rows(one)] == [meaning]
            assert one.skipped == {"the job was deleted before it finished": 1}


EVENT = {"EventType": "TranscodeComplete", "MessageBody": {"JobId": "s1", "ParentJobId": "P1", "Status": "Success"}}
WORKFLOW = {
    "activityName": "Report",
    "mediaWorkflowExecution": {
        "name": "w", "state": "Completed",
        "activityList": [{"type": "Start", "state": "Success"}, {"jobId": "j1", "type": "Transcode", "state": "Success"}],
    },
    "type": "Report",
}  # fmt: skip
SUBMITTED_IMS = {"TranscodeParentJob": {"ParentJobId": "P1", "Status": "Init", "JobCount": 1}}


@pytest.mark.parametrize(
    ("document", "part"),
    [
        (EVENT, 'names "P1": a callback has no lengths; call GetTranscodeJob'),
        ({"id": "i", "source": "acs.ims", "type": "t", "data": EVENT}, 'names "P1": a callback has no lengths'),
        ({"source": "acs.ims", "data": EVENT["MessageBody"]}, 'names "P1": an event has no lengths; call GetTranscodeJob'),
        ({"TopicName": "t", "Message": json.dumps(EVENT)}, 'names "P1": a callback has no lengths'),
        ({"TopicName": "t", "Message": json.dumps(NOTICE)}, 'names "z": a notification has no length; call QueryJobList'),
        ({"MessageBody": b64encode(json.dumps(NOTICE).encode()).decode()}, 'names "z": a notification has no length'),
        ({"EventType": "MediaConvertComplete", "MessageBody": {"JobId": "m"}}, 'names "m": a callback has no lengths'),
        ({"MessageBody": json.dumps(NOTICE)}, 'names "z": a notification has no length; call QueryJobList'),
        (WORKFLOW, 'names "j1": a notification of a workflow has no lengths; call QueryJobList'),
        ({"Message": json.dumps(WORKFLOW)}, 'names "j1": a notification of a workflow has no lengths'),
        (
            {"EventType": "TranscodeComplete", "Data": {"JobId": "m"}},
            'names "m": a callback has no lengths; call GetTranscodeJob',
        ),
        ({"EventType": "TranscodeComplete", "Data": EVENT["MessageBody"]}, 'names "P1": a callback has no lengths'),
        (SUBMITTED_IMS, 'names "P1": an answer without sub-jobs, such as that of SubmitTranscodeJob'),
        (parent("P1"), 'names "P1": an answer without sub-jobs'),
        ({"RequestId": "r", "Data": []}, "can read this answer, which has no rows that would show its kind"),
        ({"Code": "200", "Data": {"Items": {"Item": [{"PretaxAmount": 1}]}}}, "this is a bill of the provider, not usage"),
        ({"request": {"action": "QueryBill"}, "response": {"Data": {"Items": [{"PretaxGrossAmount": 1}]}}}, "with --bill"),
    ],
)  # fmt: skip
def test_the_message_for_files_without_usage_says_what_they_are_and_what_to_request(
    document: object, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bill", str(written(tmp_path, lines(document))), "-p", "mps-china", "-q"]) == 3
    err = capsys.readouterr().err
    assert part in err
    assert err.count("\n") == 1, err


def test_a_requested_parent_job_without_sub_jobs_is_counted(tmp_path: Path) -> None:
    fetched = {"request": {"action": "GetTranscodeJob"}, "response": parent("P2")}
    with converted(written(tmp_path, lines(parent("P1", sub_job("s1")), fetched)), using=profile("ims-jobs")) as (one,):
        assert one.rows == 1
        assert one.skipped == {"the answer has no TranscodeParentJob.TranscodeJobList": 1}
    empty = parent("P3")
    empty["TranscodeParentJob"]["JobCount"] = 0
    with converted(written(tmp_path, lines(parent("P1", sub_job("s1")), empty)), using=profile("ims-jobs")) as (one,):
        assert one.skipped == {"the answer has no TranscodeParentJob.TranscodeJobList": 1}


@pytest.mark.parametrize(
    ("text", "name", "part"),
    [
        ("账单信息/账单月份,应付信息/应付金额（含税）\n202311,1\n", "bill.csv", "this is a bill of the provider, not usage"),
        ("Billing Cycle,Pretax Gross Amount\n2023-11,1\n", "bill.csv", "give it to reconcile with --bill"),
        ("<!DOCTYPE html><html></html>", "x.json", "this is a web page, perhaps a login page"),
        ("\n<html><meta charset=utf-8></html>", "x.xml", "this is a web page, perhaps a login page"),
        ("42", "x.json", 'begins with the value "42"'),
        ("<Error><Code>No.RAM</Code><Message>no</Message></Error>", "x.xml", "an error of the provider, No.RAM: no"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_wrong_files_are_refused_with_one_message(
    text: str, name: str, part: str, encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(text.encode(encoding))
    if encoding == "utf-16" and name.endswith("csv"):
        return
    assert run(["bill", str(tmp_path / name), "-p", "mps-china", "-q"]) == 3
    err = capsys.readouterr().err
    assert ("the file is UTF-16" if encoding == "utf-16" else part) in err
    assert err.count("\n") == 1, err


def test_a_broken_member_is_a_rejected_record_and_hides_nothing(tmp_path: Path) -> None:
    for text, message in (
        (lines(page("abc", A)), 'the record is "abc", and must be an object'),  # type: ignore[arg-type]
        (lines(page(None, A)), "the record is null, and must be an object"),  # type: ignore[arg-type]
        (lines(["abc", A]), "profile mps-job-list reads records at JobList.Job[]"),
    ):
        file = written(tmp_path, text)
        with usage_sources([str(file)], formats=FOREIGN_FORMATS) as (sources, _):
            found = find_profile(sources)
        assert found
        with converted(file, using=found[0]) as (one,):
            (problem,) = check_rows(one.source)
            assert one.rows == 2
        assert message in problem.message


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"Code": "Throttling.User", "Message": "Slow down"}, "Throttling.User: Slow down"),
        ({"body": {"Code": "Forbidden", "Message": "no"}}, "Forbidden: no"),
        ({"JobResultList": {"JobResult": [{"Success": False, "Code": "Bad", "Message": "m"}]}}, "Bad: m"),
    ],
)
def test_an_error_next_to_answers_has_the_words_of_the_provider(document: object, error: str, tmp_path: Path) -> None:
    with converted(written(tmp_path, lines(page(A), document)), using=profile("mps-job-list")) as (one,):
        (problem,) = check_rows(one.source)
    assert problem.message == f"the provider answered with an error, {error}"
    assert problem.place.line == 2


def test_one_record_of_a_template_is_reported_in_the_singular(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bill", str(written(tmp_path, lines(page(job("a", "ours"))))), "-p", "mps-china", "-q"]) == 0
    assert (
        '1 record with template "ours", which is not in the profile; the item was derived from the streams'
        in capsys.readouterr().err
    )


def test_a_broken_member_next_to_a_failed_job_is_not_an_error_of_the_provider(tmp_path: Path) -> None:
    failed = job("b", State="TranscodeFail", Code="InvalidFile", Message="it is broken")
    with converted(written(tmp_path, lines(["abc", failed])), using=profile("mps-job-list")) as (one,):
        (problem,) = check_rows(one.source)
    assert problem.message == "profile mps-job-list reads records at JobList.Job[], and that path ends here"


def test_a_bill_among_usage_is_refused_with_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bill = {"Data": {"TotalCount": 1, "Items": {"Item": [{"PretaxAmount": 1}]}}}
    files = [written(tmp_path, lines(page(A)), "a.json"), written(tmp_path, lines(bill, bill), "b.json")]
    assert run(["bill", *map(str, files), "-p", "mps-china", "-q"]) == 3
    err = capsys.readouterr().err
    assert "b.json:1:10: this is a bill of the provider, not usage; give it to reconcile with --bill" in err
    assert err.count("\n") == 1


def test_a_file_without_usage_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"FinishTime": "", "OutFileMeta": {}}
    submitted = parent("P1", sub_job("s1", Status="Init", **waiting), sub_job("s2", Status="Init", **waiting))
    assert run(["bill", str(written(tmp_path, lines(submitted))), "-p", "mps-china", "-q"]) == 0
    assert "Warning: no usage found; 2 records skipped" in capsys.readouterr().err


def test_equal_rows_in_one_answer_are_refused_and_in_two_answers_count_once(tmp_path: Path) -> None:
    row = {"Time": 1699585200, "Specification": "H264.HD", "Duration": 1.5}
    using = profile("ims-metering", {"region": "cn-shanghai"})
    (message,) = rejection(written(tmp_path, lines({"Data": [row, row]})), using=using)
    assert "duplicate row in this answer" in message
    with converted(written(tmp_path, lines({"Data": [row]}, {"Data": [row]})), using=using) as (one,):
        assert one.rows == 2


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({**page(A), "jobList": page(B)["JobList"]}, '"JobList" and "jobList"'),
        ({"body": page(A), "Data": page(B)}, '"body" and "Data"'),
        ({"response": page(A), "body": json.dumps(page(B))}, '"body" and "response"'),
        ({"Data": page(A), "data": page(B)}, '"Data" and "data"'),
    ],
)
@pytest.mark.parametrize("options", [[], ["--profile", "mps-job-list"]])
def test_two_answers_in_one_object_are_refused(
    document: object, names: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bill", str(written(tmp_path, lines(document))), "-p", "mps-china", "-q", *options]) == 3
    err = capsys.readouterr().err
    assert f"{names} are in one object, and only one can be used" in err
    assert err.count("\n") == 1, err


def test_a_broken_text_in_a_wrapper_has_its_place_whoever_finds_the_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bill", str(written(tmp_path, '{"body": "{bad"}')), "-p", "mps-china", "-q"]) == 3
    assert 'x.json:1:10: in the text of "body", ' in capsys.readouterr().err


@pytest.mark.parametrize(("interval", "hourly"), [("3600", True), ("86400", False), ("", True)])
def test_a_request_for_sums_other_than_hourly_is_refused(interval: str, hourly: bool, tmp_path: Path) -> None:
    row = {"Time": 1699585200, "Specification": "H264.HD", "Duration": 1.5}
    request = {"action": "DescribeMeterImsMediaConvertUsage", "parameters": {"Interval": interval}}
    path = written(tmp_path, lines({"request": request, "response": {"Data": [row]}}))
    using = profile("ims-metering", {"region": "cn-shanghai"})
    if hourly:
        with converted(path, using=using) as (one,):
            assert one.rows == 1
    else:
        (message,) = rejection(path, using=using)
        assert 'the request has Interval "86400": its sums cannot be billed by the hour' in message


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("Time;Specification;Duration", 'here they are separated by ";"'),
        ("Time\tSpecification\tDuration", "here they are separated by a TAB"),
        ("time,specification,DURATION", "reads the columns Time, Specification, Duration, spelled like this"),
    ],
)
def test_a_table_with_other_separators_or_capitals_gets_one_message(
    header: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, f"{header}\n1699585200,H264.HD,1.5\n", "x.csv")
    assert run(["bill", str(path), "-p", "mps-china", "-q"]) == 3
    err = capsys.readouterr().err
    assert part in err
    assert err.count("\n") == 1, err
