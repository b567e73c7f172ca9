"""Copies of the package with the payment sources of `added_sources`, input files for them, and what commands of a copy print."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.package_copy import change, copy_package, mps_bill
from tests.reconcile.exports import HEADER
from tests.settlement.worlds import SHEET

VALID = "effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2023-12-01T00:00:00+08:00"
SETTLE = ("settle", "usage.csv", "-p", "sheet.yaml", "-a", "account.yaml")
#: The bill in the provider's export.
EXPORTED = {
    "账期": "2023-11",
    "产品": "智能媒体服务",
    "消费类型": "后付费",
    "账单开始时间": "2023-11-10 11:00:00",
    "账单结束时间": "2023-11-10 12:00:00",
    "地域": "cn-shanghai",
    "计费项": "H264.HD",
    "单价": "0.0651",
    "单价单位": "元/分钟",
    "用量": "40",
    "用量单位": "分钟",
    "资源包抵扣": "0",
    "原价": "2.604",
    "优惠金额": "0.004",
    "优惠券抵扣": "0",
    "应付金额": "2.60",
    "现金支付": "2.50",
    "代金券抵扣": "0.10",
    "储值卡支付金额": "0",
    "欠费金额": "0",
}


def copy_with(folder: Path, usage: str, account: str, sources: Mapping[str, str]) -> Path:
    """Copy the package into a folder, add sources, each before another or (empty text) at the end, and write input files."""
    package = copy_package(folder)
    for source, before in sources.items():
        add_source(package, source, before)
    (folder / "sheet.yaml").write_text(SHEET.replace("HD: ", "H264.HD: ").replace("  video:", "  transcoding:"))
    (folder / "usage.csv").write_text(usage)
    (folder / "account.yaml").write_text(account)
    return folder


def add_source(package: Path, source: str, before: str) -> None:
    """Add a source as ARCHITECTURE.md describes it: its file, and its class in the list of sources."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", source).lower()
    sources = package / "settlement" / "sources"
    shutil.copy(Path(__file__).parent / "added_sources" / f"{name}.py", sources / f"{name}.py")
    line, listed = "SOURCES: tuple[type[PaymentSource], ...] = (", sources / "__init__.py"
    change(listed, line, f"from mps_bill.settlement.sources.{name} import {source}\n\n{line}")
    if before:
        change(listed, f"{before}, ", f"{source}, {before}, ")
    else:
        change(listed, ")\nMONEY", f", {source})\nMONEY")


def json_of(folder: Path, *words: str) -> dict[str, Any]:
    return json.loads(mps_bill(folder, *words, "--format", "json"))


def rows_of(folder: Path, *words: str) -> list[dict[str, str]]:
    """The rows of a CSV result."""
    return list(csv.DictReader(io.StringIO(mps_bill(folder, *words))))


def words_of(folder: Path, *words: str) -> list[list[str]]:
    """The words of each line of the tables."""
    return [line.split() for line in mps_bill(folder, *words).splitlines()]


def write_export(folder: Path, row: dict[str, str]) -> None:
    with (folder / "export.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, HEADER, restval="")
        writer.writeheader()
        writer.writerow(row)
