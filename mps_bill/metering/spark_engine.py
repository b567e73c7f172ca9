"""The Spark engine: the same metering on a cluster, for usage that is too large for one machine.

Spark has no line numbers, so a bad row is reported with its file and its text. The master decides where Spark runs. Files must
have names that Spark can open, and only Spark looks up URLs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mps_bill.core.diagnostics import InputRejected, Place, Problem, printable
from mps_bill.metering import sql
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import Row, as_csv, row_from
from mps_bill.metering.exact_reader import UsageFiles
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.parquet_rows import check_types, parquet_row
from mps_bill.metering.sources import FORMATS, UsageSource, endings, format_of
from mps_bill.metering.spark_sql import DIALECT, INT96, LOCAL_NANOS, NANOS, identifier, lines, parquet
from mps_bill.metering.sql_engine import meter_by_sql
from mps_bill.metering.sql_rows import RowSource, place_name
from mps_bill.metering.workspace import Resources

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Spark ignores files and folders whose names begin with these.
_HIDDEN = ("_", ".")
#: Stored types that Spark's types do not distinguish.
_STORED = {
    "INT96": INT96,
    "INT64 TIMESTAMP(NANOS,true)": NANOS,
    "INT64 TIMESTAMP(NANOS,false)": LOCAL_NANOS,
}
_TYPES = {"VARCHAR": "STRING", "BIGINT": "BIGINT", "BOOLEAN": "BOOLEAN"}
#: The settings for the number of parts of a shuffle, and of a list of files.
_PARTITIONS = ("spark.sql.shuffle.partitions", "spark.sql.sources.parallelPartitionDiscovery.parallelism")
_PARTITIONS_PER_THREAD = 4
_FIRST_ROWS = "first_rows"
#: Reading headers is mostly waiting, so several are read at once.
_HEADERS_AT_ONCE = 8


def with_urls_found(sources: Sequence[UsageSource], resources: Resources) -> tuple[UsageSource, ...]:
    """The sources, with every URL replaced by the files that it names. The `rows` of such a file are only its header.

    The Spark session stays open for `read_with_spark`, which ends it.

    Raises:
        InputRejected: Spark cannot be started, or the files of a URL cannot be used.
    """
    session = _session(resources)
    found: dict[str, UsageSource] = {}
    problems: list[Problem] = []
    for source in sources:
        try:
            files = _files_of(session, source) if source.url else [source]
        except InputRejected as rejected:
            problems += rejected.report.shown
            continue
        for file in files:
            if found.setdefault(_address_of(file), file) is not file:
                problems.append(Problem(Place(file.name), kinds.REPEATED_FILE, "this file is given twice"))
    if problems:
        session.stop()
        raise InputRejected(problems)
    return tuple(found.values())


def _files_of(session: SparkSession, source: UsageSource) -> list[UsageSource]:
    """The files that a URL names, sorted by name."""

    def file_at(address: str) -> UsageSource:
        name = printable(address)
        format_ = format_of(address)
        if format_ is None:
            raise InputRejected([Problem(Place(name), kinds.UNREADABLE_FILE, endings(FORMATS))])
        with _reported(name):
            if format_ == "parquet":
                names = [name for name, _ in _parquet_columns(session, address)]
                header = [Row(0, as_csv(names).encode(), names)]
            else:
                header = [_line(line) for line in _first_line(session, address)]
        return UsageSource(name, Path(), format_, 0, lambda: iter(header), address)

    with _reported(source.name):
        addresses = _addresses_at(session, source.url)
        _check_names(session, {address: printable(address) for address in addresses})
    if not addresses:
        raise InputRejected(
            [Problem(Place(source.name), kinds.NO_FILE, "there is no such file, and none in this folder")]
        )
    with ThreadPoolExecutor(_HEADERS_AT_ONCE) as pool:
        return list(pool.map(file_at, addresses))


def _addresses_at(session: SparkSession, url: str) -> list[str]:
    """The files that a URL names, sorted by name: the files that match it, and all files in and below the folders that match it.

    Spark's own marker files in a folder, such as `_SUCCESS`, are not usage, and files in a hidden folder are incomplete.
    """
    hadoop = session.sparkContext._jvm.org.apache.hadoop.fs
    path = hadoop.Path(url)
    system = path.getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
    found: list[str] = []

    def add(status: Any, *, named: bool) -> None:
        name = status.getPath().getName()
        shown = not name.startswith(_HIDDEN)
        if status.isDirectory():
            if named or shown:
                for below in system.listStatus(status.getPath()):
                    add(below, named=False)
        elif shown or format_of(name):
            found.append(_unescaped(status.getPath().toUri().toString()))

    for status in system.globStatus(path) or ():
        add(status, named=not has_magic(url))
    return sorted(found)


def _first_line(session: SparkSession, address: str) -> list[bytes]:
    """The first line of a CSV file that has a value, if any, read without a Spark job."""
    hadoop, settings = session.sparkContext._jvm.org.apache.hadoop, session.sparkContext._jsc.hadoopConfiguration()
    path = hadoop.fs.Path(address)
    codec = hadoop.io.compress.CompressionCodecFactory(settings).getCodec(path)
    stream = path.getFileSystem(settings).open(path)
    try:
        lines, line = hadoop.util.LineReader(codec.createInputStream(stream) if codec else stream), hadoop.io.Text()
        while lines.readLine(line):
            if (found := bytes(line.copyBytes())).strip(b","):
                return [found]
    finally:
        stream.close()
    return []


def _parquet_columns(session: SparkSession, address: str) -> list[tuple[str, str]]:
    """The names and stored types of a Parquet file's columns; Spark's own types do not say enough (`spark_sql`)."""
    jvm, java = session.sparkContext._jvm, session.sparkContext._jsc
    path = jvm.org.apache.hadoop.fs.Path(address)
    file = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(path, java.hadoopConfiguration())
    reader = jvm.org.apache.parquet.hadoop.ParquetFileReader.open(file)
    try:
        fields = list(reader.getFooter().getFileMetaData().getSchema().getFields())
    finally:
        reader.close()
    columns = []
    for field in fields:
        stored = field.asPrimitiveType().getPrimitiveTypeName().toString() if field.isPrimitive() else "group"
        meaning = field.getLogicalTypeAnnotation()
        columns.append((field.getName(), f"{stored} {meaning.toString() if meaning else ''}".strip()))
    return columns


def read_with_spark(files: UsageFiles, options: MeterOptions) -> Metered:
    """Do the same as `exact_reader.read_exactly`, but without lines and columns: the place of a bad row is its file and, in
    Parquet, its row number.

    Raises:
        InputRejected: Spark cannot be started or cannot read a file, or a quote is open at the end of a line.
    """
    session = _session(options.resources)
    try:
        with _reported("usage"):
            return meter_by_sql(_SparkEngine(session, files), files, options)
    finally:
        session.stop()


def _session(resources: Resources) -> SparkSession:
    """A new session. A master that `spark-submit` has set is kept unless the run names one."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        message = 'Spark is not installed; run: pip install "mps-bill[spark]"; Spark also requires Java 17'
        raise InputRejected([Problem(Place("--engine spark"), kinds.NO_ENGINE, message)]) from None
    settings = {
        "spark.app.name": "mps-bill",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.caseSensitive": "true",
        "spark.sql.legacy.parquet.nanosAsLong": "true",
        "spark.ui.showConsoleProgress": "false",
        # The run itself reports every error once.
        "spark.log.level": "FATAL",
    }
    if resources.spark_master or resources.threads:
        settings["spark.master"] = resources.spark_master or f"local[{resources.threads}]"
    if resources.memory:
        settings["spark.driver.memory"] = f"{resources.memory // 1024}k"
    if resources.temp_folder:
        settings["spark.local.dir"] = resources.temp_folder
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        message = (
            f"Spark does not start ({str(error).partition(chr(10))[0]}); it needs Java 17 and, for a cluster, --master"
        )
        raise InputRejected([Problem(Place("--engine spark"), kinds.NO_ENGINE, message)]) from error
    context = session.sparkContext
    for setting in _PARTITIONS:
        if context.master.startswith("local") and not context.getConf().contains(setting):
            # Spark's defaults of 200 and 10,000 are for a cluster; on one machine they take ten times as long as the work itself.
            session.conf.set(setting, str(_PARTITIONS_PER_THREAD * context.defaultParallelism))
    return session


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """Report an error of Spark as a problem with this file.

    Raises:
        InputRejected: Spark could not read the file.
    """
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        # The message of a Java exception is on the second line, after the name of a call.
        reason = str(error).removeprefix("An error occurred while calling").partition("\n: ")[2] or str(error)
        message = f"Spark cannot read it: {printable(reason.partition(chr(10))[0])}"
        if "FileSystem not found" in message or "No FileSystem for scheme" in message:
            message += "; give Spark the jars of this file system, as docs/scale.md says"
        raise InputRejected([Problem(Place(name), kinds.UNREADABLE_FILE, message)]) from error


def _address_of(source: UsageSource) -> str:
    """The address at which Spark finds a file, without escapes."""
    return source.url or f"file://{source.path.resolve().as_posix()}"


def _unescaped(url: str) -> str:
    """The address without escapes of a file whose URL Spark gives."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{unquote(parts.path)}"


def _exactly(address: str) -> str:
    """A path for Spark, which treats paths as patterns."""
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", address)


def _line(value: bytes | bytearray) -> Row:
    """The row on a line whose number is not known."""
    return row_from(0, bytes(value).removeprefix(b"\xef\xbb\xbf"))


class _SparkEngine:
    """See `sql_engine.SqlEngine`."""

    dialect = DIALECT
    knows_rows = True
    holds_hashes = False
    keeps_lines = False

    def __init__(self, session: SparkSession, files: UsageFiles) -> None:
        self._session = session
        self._files = files
        self._sources = {_address_of(source): source for source in files.sources}
        #: The format and the rows of each group of files that are read alike, since they have the same format and header.
        self._alike: list[tuple[str, RowSource]] = []
        groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[UsageSource]] = {}
        _check_names(session, {address: source.name for address, source in self._sources.items()})
        with ThreadPoolExecutor(_HEADERS_AT_ONCE) as pool:
            stored = pool.map(self._stored_types, files.sources)
            for source, types in zip(files.sources, stored, strict=True):
                format_ = "parquet" if source.format == "parquet" else "csv"
                groups.setdefault((format_, files.layouts[source.name].names, types), []).append(source)
        for number, ((format_, _, types), group) in enumerate(groups.items()):
            self._alike.append((format_, self._row_source(f"usage_{number}", group, types)))
        self.headers = sum(source.format != "parquet" for source in files.sources)

    @property
    def rows(self) -> Sequence[RowSource]:
        return tuple(rows for _, rows in self._alike)

    def first_rows(self, number: int) -> RowSource:
        # LIMIT inside a statement reads that many rows from every part of the files; at its end, only from the parts it needs.
        (_, first), *_ = self._alike
        frame = self._session.sql(f"SELECT * FROM {first.relation} LIMIT {number}")._jdf
        few = self._session._jsparkSession.createDataFrame(frame.collectAsList(), frame.schema())
        few.createOrReplaceTempView(_FIRST_ROWS)
        return replace(first, relation=_FIRST_ROWS)

    def fetch(self, query: str, doing: str) -> list[tuple[object, ...]]:
        del doing
        return [tuple(row) for row in self._session.sql(query).collect()]

    def keep(self, table: str, query: str, doing: str) -> int:
        del doing
        from pyspark import StorageLevel

        frame = self._session.sql(query).persist(StorageLevel.MEMORY_AND_DISK)
        frame.createOrReplaceTempView(table)
        return int(frame.count())

    def stream(self, query: str, doing: str) -> Iterator[tuple[object, ...]]:
        del doing
        yield from (tuple(row) for row in self._session.sql(query).toLocalIterator())

    def load(self, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]) -> None:
        schema = ", ".join(f"{name} {_TYPES[type_]}" for name, type_ in columns.items())
        self._session.createDataFrame([tuple(row) for row in rows], schema).createOrReplaceTempView(table)

    def find_suspects(self, statements: sql.Statements) -> None:
        for number, (_, rows) in enumerate(self._alike):
            self.keep(f"suspects_{number}", statements.suspects(rows), "")

    def suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        return self.placed_suspects()

    def placed_suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        headers: set[str] = set()
        for number, (format_, _) in enumerate(self._alike):
            columns, order = "CAST(value AS BINARY) AS value, path", "path"
            if format_ == "parquet":
                columns, order = "*", "path, row_number"
            frame = self._session.sql(f"SELECT {columns} FROM suspects_{number} ORDER BY {order}")
            for row in frame.toLocalIterator():
                source = self._sources[_unescaped(row.path)]
                if format_ == "parquet":
                    yield source, parquet_row(row.row_number + 1, row[2:])
                    continue
                found = _line(row.value)
                # Every file has one header; a second one is a bad row.
                if source.name not in headers and tuple(found.fields) == self._files.layouts[source.name].names:
                    headers.add(source.name)
                    continue
                if found.flaw and found.flaw.kind is kinds.UNCLOSED_QUOTE:
                    message = "a quote is not closed on its line; with --engine spark every row must be on one line"
                    raise InputRejected([Problem(Place(source.name), kinds.UNCLOSED_QUOTE, message)])
                yield source, found

    def _row_source(self, view: str, sources: Sequence[UsageSource], stored: Sequence[str]) -> RowSource:
        form = self._files.form(sources[0])
        paths = [_exactly(_address_of(source)) for source in sources]
        if sources[0].format != "parquet":
            self._session.read.text(paths).selectExpr("value", "input_file_name() AS path").createOrReplaceTempView(
                view
            )
            return lines(view, form)
        # The meaning of a type follows the way it is stored.
        check_types(sources[0], zip(form.layout.names, (kind.rpartition(" ")[2] for kind in stored), strict=True))
        frame = self._session.read.parquet(*paths)
        types = [_STORED.get(kind, type_) for (_, type_), kind in zip(frame.dtypes, stored, strict=True)]
        columns = [frame[identifier(name)].alias(place_name(number)) for number, name in enumerate(frame.columns)]
        file = frame.metadataColumn("_metadata")
        columns += [file.getField("file_path").alias("path"), file.getField("row_index").alias("row_number")]
        frame.select(*columns).createOrReplaceTempView(view)
        return parquet(view, form, types)

    def _stored_types(self, source: UsageSource) -> tuple[str, ...]:
        """The stored types of a Parquet file's columns; nothing for other files."""
        if source.format != "parquet":
            return ()
        return tuple(type_ for _, type_ in _parquet_columns(self._session, _address_of(source)))


def _check_names(session: SparkSession, names: Mapping[str, str]) -> None:
    """Check that Spark reads every file it is asked to read. `names` has the names of the files for messages, by their addresses.

    Raises:
        InputRejected: Spark cannot read a file, or ignores it.
    """
    problems = {
        address: "Spark cannot read a local file whose name has a colon; rename it"
        for address in names
        if address.startswith("file:") and ":" in address.rpartition("/")[2]
    }
    asked = [_exactly(address) for address in names if address not in problems]
    listed = session.read.text(asked).inputFiles() if asked else []
    message = "Spark ignores this file, as it does all files whose names begin with an underscore or a dot; rename it"
    problems |= dict.fromkeys(names.keys() - problems.keys() - set(map(_unescaped, listed)), message)
    if problems:
        raise InputRejected(
            [
                Problem(Place(name), kinds.UNREADABLE_FILE, problems[address])
                for address, name in names.items()
                if address in problems
            ]
        )
