"""Write usage files of any size for benchmarks and tests. The same arguments always give the same bytes of CSV.

    python benchmarks/generate.py ROWS FILE [--duplicates N] [--dirty N] [--lost-quotes N]

FILE ends in .csv, .csv.gz, .csv.zst or .parquet. The rows cover three days of transcoding, priced by the shipped sheet
`mps-china`; 2 % of the jobs failed. With N, one row in N repeats an earlier one, is bad in one of several ways, or has a
quote that is never closed.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import duckdb

COLUMNS = (
    "job_id", "completed_at", "region", "item", "codec", "width", "height", "quantity", "unit", "status",
)  # fmt: skip
_SECONDS = 72 * 3_600
_START = "2023-11-10 00:00:00"
#: A mark in the text for a byte that is not UTF-8, which an SQL string cannot contain.
_BAD_BYTE_MARK = "\u0080".encode()

#: The ways in which a dirty row is bad: another value in a column, or another form of the whole line.
_BAD_VALUES = {
    "completed_at": "left(completed_at, 19)",
    "quantity": "quantity || 'e1'",
    "region": "'cn-atlantis'",
    "item": "'transcodin'",
    "width": "'0'",
    "codec": "'AV1'",
    "unit": "'frame'",
}
_BAD_LINES = (
    "job_id || ',' || completed_at",
    "line || ',more'",
    "replace(line, 'success', 'success\u0080')",
    "replace(line, ',second', ',sec\"ond')",
)


def _pick(words: tuple[object, ...], salt: int) -> str:
    """Return SQL that picks one of the words, spread evenly over the row numbers `j` and equal in every version of the engine."""
    listed = ", ".join(f"'{word}'" if isinstance(word, str) else str(word) for word in words)
    return f"[{listed}][1 + (j * 2654435761 + {salt} * 40503) % 4294967296 // 65536 % {len(words)}]"


def _rows(rows: int, duplicates: int) -> str:
    """Return SQL for the typed rows. With duplicates, the last of every N rows repeats the first of N earlier rows."""
    number = f"CASE WHEN i % {duplicates} = {duplicates - 1} THEN i // {2 * duplicates} * {duplicates} ELSE i END"
    sizes = tuple(range(5))
    return f"""
SELECT i, 'j-' || lpad(j::VARCHAR, 12, '0') AS job_id,
    TIMESTAMP '{_START}' + to_seconds(j * {_SECONDS} // {rows}) AS local_time,
    {_pick(("cn-shanghai", "cn-beijing", "cn-hangzhou", "cn-shenzhen", "cn-qingdao", "cn-zhangjiakou"), 1)} AS region,
    {_pick(("transcoding",) * 8 + ("narrowband_hd_1", "editing_basic"), 2)} AS item,
    {_pick(("H264", "H264", "H265"), 3)} AS codec,
    {_pick(sizes, 4)} AS size,
    [640, 1280, 1920, 2560, 3840][size + 1] AS width,
    [480, 720, 1080, 1440, 2160][size + 1] AS height,
    (j * 48271 % 3600000 / 1000::DECIMAL(12, 3))::DECIMAL(12, 3) AS quantity,
    'second' AS unit,
    CASE WHEN j * 69621 % 50 = 0 THEN 'failed' ELSE 'success' END AS status
FROM (SELECT i, {number if duplicates else "i"} AS j FROM range({rows}) AS numbers(i))"""


def _lines(rows: int, duplicates: int, dirty: int, lost_quotes: int) -> str:
    texts = {
        **{name: name for name in COLUMNS},
        "completed_at": "strftime(local_time, '%Y-%m-%dT%H:%M:%S') || '+08:00'",
        "quantity": "quantity::VARCHAR",
        "width": "width::VARCHAR",
        "height": "height::VARCHAR",
    }
    typed = ", ".join(f"{text} AS {name}" for name, text in texts.items())
    line = " || ',' || ".join(COLUMNS)
    arms = []
    if lost_quotes:
        arms.append(f"WHEN i % {lost_quotes} = {lost_quotes // 2} THEN '\"' || line")
    if dirty:
        ways = [line.replace(name, f"({bad})", 1) for name, bad in _BAD_VALUES.items()] + list(_BAD_LINES)
        turns = " ".join(f"WHEN {number} THEN {way}" for number, way in enumerate(ways))
        arms.append(f"WHEN i % {dirty} = {dirty // 3} THEN CASE i // {dirty} % {len(ways)} {turns} END")
    chosen = f"CASE {' '.join(arms)} ELSE line END" if arms else "line"
    rows_query = _rows(rows, duplicates)
    return f"""
WITH texts AS (SELECT i, {typed} FROM ({rows_query})), lines AS (SELECT *, {line} AS line FROM texts)
SELECT {chosen} AS "{",".join(COLUMNS)}" FROM lines"""


def generate(
    rows: int, path: Path, *, duplicates: int = 0, dirty: int = 0, lost_quotes: int = 0, threads: int | None = None
) -> None:
    """Write `rows` rows to `path`. `duplicates`, `dirty` and `lost_quotes` mean one row in N; 0 means none."""
    with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
        connection.execute("SET TimeZone = 'Asia/Shanghai'")
        if path.suffix == ".parquet":
            if dirty or lost_quotes:
                raise SystemExit("dirty rows are for CSV")
            columns = ", ".join(
                "local_time::TIMESTAMPTZ AS completed_at" if c == "completed_at" else c for c in COLUMNS
            )
            connection.execute(f"COPY (SELECT {columns} FROM ({_rows(rows, duplicates)})) TO '{path}' (FORMAT parquet)")
            return
        packing = {".gz": ", COMPRESSION gzip", ".zst": ", COMPRESSION zstd"}.get(path.suffix, "")
        query = _lines(rows, duplicates, dirty, lost_quotes)
        # Each line is written as one value, so that its commas and quotes mean nothing to the writer.
        connection.execute(
            f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER true, DELIMITER '\x1e', QUOTE '', ESCAPE ''{packing})"
        )
    if dirty and not packing:
        _spoil_bytes(path)


def _spoil_bytes(path: Path) -> None:
    """Replace the marks with bytes that are not UTF-8."""
    spoilt = path.with_name(path.name + ".tmp")
    with path.open("rb") as source, spoilt.open("wb") as target:
        for line_block in iter(lambda: source.readlines(16_000_000), []):
            target.write(b"".join(line_block).replace(_BAD_BYTE_MARK, b"\xff"))
    os.replace(spoilt, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=lambda text: int(float(text)))
    parser.add_argument("file", type=Path)
    parser.add_argument("--duplicates", type=int, default=0, metavar="N")
    parser.add_argument("--dirty", type=int, default=0, metavar="N")
    parser.add_argument("--lost-quotes", type=int, default=0, metavar="N")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    generate(
        options.rows,
        options.file,
        duplicates=options.duplicates,
        dirty=options.dirty,
        lost_quotes=options.lost_quotes,
        threads=options.threads,
    )


if __name__ == "__main__":
    main()
