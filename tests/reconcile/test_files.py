"""Files that an export comes in: packed, fetched line by line, saved again by a spreadsheet program; and what is none, each with
one sentence that says what it is."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.profiles.json_documents import Document
from mps_bill.reconcile import export_files
from mps_bill.reconcile.export_mapping import load_mapping
from mps_bill.reconcile.read_export import read_exports
from tests.reconcile.exports import console_csv, v2_csv, write
from tests.reconcile.test_pages import item, page
from tests.reconcile.test_read_export import ROW, read, refused


def archive(parts: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return data.getvalue()


def encrypted(data: bytes) -> bytes:
    """The archive with the flag of an encrypted member set, in its header and in the directory."""
    changed = bytearray(data)
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[data.index(start) + flags] |= 1
    return bytes(changed)


CSV = console_csv([ROW]).encode()
USAGE = """job_id,completed_at,region,item,codec,width,height,quantity,unit,status
a,2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264,1280,720,600,second,success
"""
V2_CSV = v2_csv([{"账单月份": "202311"}]).encode()
ENGLISH = b"Billing Cycle,Product Name,Pretax Gross Amount,Pretax Amount\n2023-11,x,1,1\n"
GZIP = gzip.compress(CSV)
ZIP = archive({"bill.csv": CSV})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive({"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"}), "e: this is an Excel workbook, not CSV; in Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "e: this is an Excel workbook, not CSV; in Excel"),
        (b"PAR1", "e: this is Parquet; give the CSV or the JSON answers"),
        (b"%PDF-1.7", "e: this is a PDF; give the CSV or the JSON answers"),
        (archive({}), "e: the archive is empty"),
        (archive({"__MACOSX/._bill.csv": b"x"}), "e: the archive is empty"),
        (archive({"bill.png": b"x", "readme.md": b"x"}), 'e: "bill.png" in the archive is not CSV or JSON'),
        (archive({"bill.csv": CSV, "more.zip": b"x"}), 'e: "more.zip" in the archive is not CSV or JSON; give the exports alone'),
        (encrypted(ZIP), "e: the archive is encrypted; unpack it first"),
        (ZIP[:-30], "e: it cannot be unpacked: File is not a zip file; download it again"),
        (GZIP[:-30], "e: it cannot be unpacked: "),
        (GZIP[:30] + b"\x00\x00" + GZIP[32:], "e: it cannot be unpacked: "),
        (b"<!DOCTYPE html><html>login</html>", "e: this is a web page, perhaps a login page"),
        (b'<?xml version="1.0"?><QueryBillResponse/>', "e: this is XML; ask the bill API for JSON"),
        (CSV.decode().encode("utf-16"), "e: the file is UTF-16; save it as UTF-8 or GB18030"),
        (CSV + b"\xff\xff", "e:3: byte 0xff is neither UTF-8 nor GB18030; export the file again"),
        (CSV.decode().encode("utf-8").decode("latin-1").encode(), "e:1: its headings, such as "),
        (CSV.decode().encode("gb18030").decode("latin-1").encode(), "e:1: its headings, such as "),
        (CSV.decode().encode("ascii", "replace"), 'e:1: its headings, such as "??", were saved in a wrong encoding; export'),
        (V2_CSV.decode().encode("ascii", "replace"), 'e:1: its headings, such as "????/????ID", were saved in a wrong encoding'),
        (V2_CSV.replace(b",", b";"), 'e:1: the columns are separated by ";", and must be separated by ","'),
        (V2_CSV.replace(b",", b"\t"), 'e:1: the columns are separated by a TAB, and must be separated by ","'),
        (ENGLISH.replace(b",", b";"), 'e:1: the columns are separated by ";", and must be separated by ","'),
        ("2023年11月账单\n".encode() + V2_CSV, "e:1: the header is on line 2; delete the lines above it"),
        ("\ufeff账单,,\n\n导出：2023-12-01\n".encode() + CSV, "e:1: the header is on line 4; delete the lines above it"),
        ("账单\n".encode() + CSV.replace(b",", b"\t"), "e:1: in line 2, the columns are separated by a TAB"),
        (b"BilledCost,BillingPeriodStart,ChargePeriodStart,ServiceName\n1,a,b,c\n", "e:1: this is an export in the FOCUS format"),
        (CSV.replace(b",", b";"), 'e:1: the columns are separated by ";", and must be separated by ","'),
        (b'{"Code": "NotAuthorized", "Message": "Not authorized.", "RequestId": "1"}',
         "e:1:1: the provider answered with an error, NotAuthorized: Not authorized. [R110"),
        (b'{"Success": false, "Code": "X", "Message": "busy", "Data": {"TotalCount": 0, "Items": {"Item": []}}}',
         "e:1:1: the provider answered with an error, X: busy [R110"),
        (b'{"request": {}, "response": {"Code": "Throttling", "Message": "slower"}}',
         "e:1:29: the provider answered with an error, Throttling: slower; fetch it again"),
        (b"job_id,quantity\na,1\n", "e:1: this is usage; give it before --bill"),
        (b'{"JobList": {"Job": [{"JobId": "a"}]}}',
         "e: this is usage, as the profile mps-job-list reads it; give it before --bill"),
        (b'{"request": {}, "response": {"JobList": {"Job": []}}}\n{"JobList": {}}',
         "e: this is usage, as the profile mps-job-list"),
        (b'{"TranscodeParentJob": {"TranscodeJobList": []}}', "e: this is usage, as the profile ims-jobs reads it"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_an_export_is_refused_and_named(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "e"
    path.write_bytes(data)
    [found] = refused(path)
    assert found.startswith(message)


@pytest.mark.parametrize("name", ["readme.md", "说明.pdf", "readme.txt", "picture"])
def test_other_files_in_an_archive_are_passed_over_and_named(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "e.zip"
    path.write_bytes(archive({name: b"hello", "bill.csv": CSV}))
    export, problems = read_exports([str(path)], "CNY")
    assert export, problems
    assert [(Path(file.name).name, file.form, file.rows) for file in export.files] == [
        (name, "other", 0),
        ("bill.csv", "csv", 1),
    ]
    (tmp_path / "usage.csv").write_text(USAGE)
    run(["reconcile", str(tmp_path / "usage.csv"), "-p", "mps-china", "--bill", str(path)])
    assert f"e.zip/{name}: not CSV or JSON, skipped" in capsys.readouterr().out.replace("\n", "")


def test_unpacking_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "MAX_BYTES_OF_DATA", len(CSV) - 1)
    for data in (GZIP, ZIP):
        path = tmp_path / "e"
        path.write_bytes(data)
        [found] = refused(path)
        assert f"it cannot be unpacked: it is larger than {len(CSV) - 1:,} bytes" in found


def test_a_broken_row_in_an_archive_is_found_by_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    path.write_bytes(archive({"bill.csv": console_csv([ROW | {"应付金额": "x"}]).encode()}))
    [found] = refused(path)
    assert found.startswith("e.zip/bill.csv:2:")


# Answers


def wrapped(text: str, form: str) -> str:
    """An answer as `fetch` or a client writes it."""
    request = {"Action": "QueryBill", "BillingCycle": "2023-11"}
    answer = json.loads(text)
    return {
        "fetched": json.dumps({"request": request, "response": answer}),
        "as text": json.dumps({"request": request, "body": text}),
        "dumped": json.dumps({"headers": {}, "statusCode": 200, "body": answer}),
        "both": json.dumps({"request": request, "response": {"headers": {}, "body": answer}}),
        "camel": text.replace('"Data"', '"data"').replace('"Items"', '"items"').replace('"Item"', '"item"')
        .replace("PretaxAmount", "pretaxAmount").replace("TotalCount", "totalCount").replace("Billing", "billing"),
    }[form]  # fmt: skip


@pytest.mark.parametrize("form", ["fetched", "as text", "dumped", "both", "camel"])
def test_pages_of_answers_line_by_line(tmp_path: Path, form: str) -> None:
    pages = [page(item(), item(day=""), TotalCount=3), page(item(), TotalCount=3)]
    lines = [wrapped(text, form) for text in pages]
    export = read(write(tmp_path / "bills.jsonl", "\n".join(lines) + "\n"))
    assert [(row.payable, row.month) for row in export.rows] == [(Decimal("0.65"), "2023-11")] * 3
    [found] = refused(write(tmp_path / "bills.jsonl", lines[0] + "\n"))
    assert "TotalCount is 3, and the files have 2" in found


def test_pages_in_one_list(tmp_path: Path) -> None:
    text = f"[{page(item(), TotalCount=2)},\n{page(item(), TotalCount=2)}]"
    assert len(read(write(tmp_path / "bills.json", text)).rows) == 2
    [found] = refused(write(tmp_path / "bills.json", text.replace("0.65}", "true}", 1)))
    assert found.startswith("bills.json:1:")
    assert '"PretaxAmount" must be a number' in found


def test_an_answer_without_items_has_none(tmp_path: Path) -> None:
    empty = '{"Data": {"BillingCycle": "2023-11", "AccountID": "1", "TotalCount": 0, "Items": {}}}\n'
    assert len(read(write(tmp_path / "bills.jsonl", empty + page(item(), TotalCount=1))).rows) == 1
    [found] = refused(write(tmp_path / "bills.jsonl", empty))
    assert "has no bill rows" in found


def test_bills_with_items_and_without_them_are_not_given_together(tmp_path: Path) -> None:
    items, bare = item(), {name: value for name, value in item().items() if name != "BillingItem"}
    first, other = write(tmp_path / "items.json", page(items)), write(tmp_path / "bills.json", page(bare))
    for paths in ([first, other], [other, first]):
        [found] = refused(*paths)
        assert found == (
            f'bills.json: it has the bills of "x" without billing items, and {first} has the items; give one of them'
            " [R109 repeated-export]"
        )
    other = write(tmp_path / "bills.json", page(bare | {"ProductName": "y"}))
    assert len(read_exports([str(first), str(other)], "CNY")[0].rows) == 2  # type: ignore[union-attr]


# Spreadsheet programs


def test_dates_of_a_spreadsheet_program_are_read_where_they_have_one_meaning(tmp_path: Path) -> None:
    [plain] = read(write(tmp_path / "e.csv", console_csv([ROW]))).rows
    changed = {"账期": "2023/11", "账单开始时间": "2023/11/10 11:00", "账单结束时间": "2023/11/10 12:00:00"}
    [row] = read(write(tmp_path / "e.csv", console_csv([ROW | changed]))).rows
    assert (row.start, row.end, row.month) == (plain.start, plain.end, plain.month)
    changed = {"账期": "", "账单开始时间": "2023/1/2 3:04", "账单结束时间": ""}
    [row] = read(write(tmp_path / "e.csv", console_csv([ROW | changed]))).rows
    assert row.start == 1672599840  # 2023-01-02T03:04:00+08:00


@pytest.mark.parametrize(
    "text",
    [
        "10/11/2023 11:00",
        "10/11/23",
        "Nov-23",
        "10-Nov-23",
        "45240.458",
        "45240",
        "######",
        "2023-11-10 11:00:00 AM",
        "2023/11/10 PM 1:00",
        "2023/11/10 上午11:00",
    ],
)
def test_other_dates_of_a_spreadsheet_program_are_refused_once(tmp_path: Path, text: str) -> None:
    rows = [ROW | {"账单开始时间": text}, ROW | {"账单开始时间": text, "账期": text}]
    [found] = refused(write(tmp_path / "e.csv", console_csv(rows)))
    assert found == (
        f'e.csv:2:28: "{text}" is a date as a spreadsheet program rewrites it; give the file as the provider exported it'
        " [R209 rewritten-time]"
    )


def test_a_date_without_its_hour_is_quoted_as_the_file_has_it(tmp_path: Path) -> None:
    [found] = refused(write(tmp_path / "e.csv", console_csv([ROW | {"账单开始时间": "2023/11/5"}])))
    assert found.startswith('e.csv:2:28: "2023/11/5" is not an ISO 8601 date and time')


# A mapping's columns


def test_a_mapping_names_columns(tmp_path: Path) -> None:
    text = console_csv([ROW]).replace("应付金额", "账/要付的钱").replace("优惠金额", "省下的 钱")
    path = write(tmp_path / "e.csv", text)
    assert any("no column 应付金额" in one for one in refused(path))
    own = write(
        tmp_path / "own.yaml",
        "format: mps-bill/bill-mapping/1\nid: own\ncolumns:\n  payable: [要付的钱]\n  discount: [省下的钱]\n",
    )
    mapping, problems = load_mapping([str(own)])
    assert mapping, problems
    export, problems = read_exports([str(path)], "CNY", mapping.columns)
    assert export, problems
    assert (export.rows[0].payable, export.rows[0].amount("discount")) == (Decimal("0.65"), Decimal("0.001"))


def test_the_heading_of_a_mapping_goes_before_the_known_ones(tmp_path: Path) -> None:
    text = console_csv([ROW | {"可用区": "9"}]).replace("可用区", "应付信息/应付金额（含税）")
    [found] = refused(write(tmp_path / "e.csv", text))
    assert "is the same column as" in found
    own = write(
        tmp_path / "own.yaml", "format: mps-bill/bill-mapping/1\nid: own\ncolumns: {payable: [应付金额(含税)]}\n"
    )
    mapping, _ = load_mapping([str(own)])
    assert mapping
    export, problems = read_exports([str(tmp_path / "e.csv")], "CNY", mapping.columns)
    assert export, problems
    assert export.rows[0].payable == 9


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{payabel: [x]}", 'unknown column of bills "payabel"; did you mean "payable"?'),
        ("{payable: [x], discount: [X]}", 'duplicate name "X" with another meaning'),
    ],
)
def test_wrong_columns_of_a_mapping_are_refused(tmp_path: Path, columns: str, message: str) -> None:
    own = write(tmp_path / "own.yaml", f"format: mps-bill/bill-mapping/1\nid: own\ncolumns: {columns}\n")
    mapping, [problem] = load_mapping([str(own)])
    assert mapping is None
    assert message in problem.message


def test_places_of_many_rows_are_not_counted_from_the_start_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    position = Document.position

    def counting(document: Document, at: int, *earlier: tuple[int, int]) -> tuple[int, int]:
        counted.append(at - (earlier[0][1] if earlier else 0))
        return position(document, at, *earlier)

    monkeypatch.setattr(Document, "position", counting)
    text = "[\n" + ",\n".join([json.dumps(item())] * 500) + "]"
    rows = read(write(tmp_path / "e.json", text)).rows
    assert [row.place.line for row in rows] == list(range(2, 502))
    assert sum(counted) <= len(text)
