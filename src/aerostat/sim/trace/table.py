"""Long tables: a row for each VM and time, as CSV or Parquet, with named columns and units."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from aerostat.present.printable import printable
from aerostat.sim.trace.arrow import arrow
from aerostat.sim.trace.rows import Account, Floats, RawColumns, Rows, good_rows
from aerostat.sim.trace.trace import Place, TraceError
from aerostat.units import GIB, KIB, MIB

UNITS: Mapping[str, int] = {"bytes": 1, "kib": KIB, "mib": MIB, "gib": GIB}
_KNOWN = ("vm", "time", "time_s", *(f"{what}_{unit}" for what in ("used", "max") for unit in UNITS))
SHOWN_COLUMNS, SHOWN_CHARACTERS = 12, 40
_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which columns hold what, and in which unit."""

    vm: str | None  # None: the file is one VM, named after it
    time: str
    is_dated: bool  # the time is a date and time of day, in UTC
    used: str
    used_unit: int
    maximum: str
    max_unit: int

    @property
    def columns(self) -> list[str]:
        """Their names."""
        own = [self.time, self.used, self.maximum]
        return own if self.vm is None else [self.vm, *own]


def layout_of(columns: Sequence[str], path: Path) -> Layout:
    """Find the columns by their names.

    Raises:
        TraceError: one is missing, or there are two of a kind.
    """
    twice = sorted({name for name in columns if columns.count(name) > 1 and name in _KNOWN})
    if twice:
        raise TraceError(f"{path}:1: there are two columns of one name: {', '.join(twice)}")
    used, used_unit = _sized("used", columns, path)
    maximum, max_unit = _sized("max", columns, path)
    times = [name for name in ("time_s", "time") if name in columns]
    if "vm" not in columns or not times:
        raise TraceError(
            f"{path}:1: columns vm, time_s (or time), used_bytes and max_bytes are needed "
            f"(docs/traces.md); {_there_are(columns)}"
        )
    if len(times) > 1:
        raise TraceError(f"{path}:1: time_s and time say the same: one of them is needed")
    return Layout(
        vm="vm",
        time=times[0],
        is_dated=times[0] == "time",
        used=used,
        used_unit=used_unit,
        maximum=maximum,
        max_unit=max_unit,
    )


def _sized(what: str, columns: Sequence[str], path: Path) -> tuple[str, int]:
    known = {f"{what}_{unit}": size for unit, size in UNITS.items()}
    found = [name for name in known if name in columns]
    if len(found) == 1:
        return found[0], known[found[0]]
    if found:
        raise TraceError(f"{path}:1: {' and '.join(found)} say the same: one of them is needed")
    wanted = f"one of {', '.join(known)}"
    raise TraceError(f"{path}:1: {wanted} is needed (docs/traces.md); {_there_are(columns)}")


def _there_are(columns: Sequence[str]) -> str:
    """Some of the columns, as far as they can be shown: a file may be no table at all."""
    shown = [printable(name)[:SHOWN_CHARACTERS] for name in columns[:SHOWN_COLUMNS]]
    more = len(columns) - len(shown)
    return f"there are: {', '.join(shown)}{f' and {more} more' if more else ''}"


def read_csv_rows(
    path: Path, layout: Layout, account: Account, *, delimiter: str = ",", vm_name: str = ""
) -> Rows:
    """Read a CSV file's rows; those with too many or too few fields are malformed.

    Raises:
        TraceError: it cannot be read, or is read strictly and has a malformed row.
    """
    pa = arrow(f"{path.name} (CSV)")
    broken: list[int] = []

    def skip(row: Any) -> str:
        broken.append(row.number)
        return "skip"

    try:
        table = pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(use_threads=False),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter, invalid_row_handler=skip, ignore_empty_lines=False
            ),
            convert_options=pa.csv.ConvertOptions(
                check_utf8=False,
                # Bytes: what is no UTF-8 is a malformed row and not the end.
                column_types=dict.fromkeys(_heads(path, delimiter), pa.binary()),
            ),
        )
    except (OSError, pa.ArrowException) as error:
        raise TraceError(f"{path}: it cannot be read as CSV: {error}") from error
    table = table.rename_columns([name.strip() for name in table.column_names])
    for line in broken:
        account.rows += 1
        account.blame("it has too many or too few fields", Place(path=path, line=line))
    swallowed = _line_count(path) - 1 - table.num_rows - len(broken)
    if swallowed > 0:  # a row with a quote in it goes on to the next one, or to the end of the file
        account.rows += swallowed
        place = Place(path=path, line=min(broken, default=1))
        account.blame("it is inside a quote that is not closed", place, swallowed)
    lines = _lines(table.num_rows, broken)
    raw, names = raw_columns(pa, path, table.select(layout.columns), layout, lines, vm_name=vm_name)
    return good_rows(raw, names, path, account)


def _line_count(path: Path) -> int:
    """Lines of a file, the last one with or without an end."""
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")


def heads_of(path: Path, delimiter: str) -> list[str]:
    """The column names of a CSV file, without the space around them.

    Raises:
        TraceError: the file cannot be read or is empty.
    """
    return [name.strip() for name in _heads(path, delimiter)]


def _heads(path: Path, delimiter: str) -> list[str]:
    try:
        with path.open("rb") as file:
            head = file.readline(65_536)
    except OSError as error:
        raise TraceError(f"{path}: it cannot be read: {error.strerror}") from error
    if not head.strip():
        raise TraceError(f"{path}: it is empty; the first line must name its columns")
    text = head.decode("utf-8-sig", errors="replace").rstrip("\r\n")
    return [name.strip('"') for name in text.split(delimiter)]


def _lines(count: int, broken: Sequence[int]) -> Any:
    """The line of each row that was read; the first line has the names, broken ones are not in."""
    missing = np.array(sorted(broken), dtype=np.int64)
    lines = np.arange(2, count + len(missing) + 2, dtype=np.int64)
    return np.delete(lines, missing - 2) if len(missing) else lines


def raw_columns(
    pa: Any, path: Path, table: Any, layout: Layout, lines: Any, *, vm_name: str = ""
) -> tuple[RawColumns, tuple[str, ...]]:
    """The table's columns as numbers, and the names of its VMs; see ``rows.good_rows``."""
    if layout.vm is None:
        vm = np.zeros(table.num_rows, dtype=np.int64)
        names: tuple[str, ...] = (vm_name,)
    else:
        with _blamed(pa, path, table, layout.vm):
            vm, names = _named(pa, table.column(layout.vm))
    with _blamed(pa, path, table, layout.time):
        time_s = _times(pa, table.column(layout.time), is_dated=layout.is_dated)
    with _blamed(pa, path, table, layout.used):
        used_bytes = _numbers(pa, table.column(layout.used)) * layout.used_unit
    with _blamed(pa, path, table, layout.maximum):
        max_bytes = _numbers(pa, table.column(layout.maximum)) * layout.max_unit
    raw = RawColumns(vm=vm, time_s=time_s, used_bytes=used_bytes, max_bytes=max_bytes, lines=lines)
    return raw, names


@contextmanager
def _blamed(pa: Any, path: Path, table: Any, column: str) -> Iterator[None]:
    """What cannot be made of a column is told of it, with what it holds."""
    try:
        yield
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise TraceError(
            f"{path}: column {column} holds {table.column(column).type}, of which nothing can be "
            f"made here: {error}"
        ) from error


def _named(pa: Any, column: Any) -> tuple[Any, tuple[str, ...]]:
    """VMs numbered in the order of their names; -1 where there is none."""
    coded = column.combine_chunks().dictionary_encode()
    texts = [_text(value) for value in coded.dictionary.to_pylist()]
    names = sorted({text for text in texts if text})
    number = {text: index for index, text in enumerate(names)}
    numbers = np.array([number.get(text, -1) for text in texts] + [-1], dtype=np.int64)
    codes = pa.compute.fill_null(coded.indices, len(texts)).to_numpy(zero_copy_only=False)
    return numbers[codes], tuple(names)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8").strip()
        except UnicodeDecodeError:
            return ""  # two names that are none could not be told apart
    return "" if value is None else str(value).strip()


def _numbers(pa: Any, column: Any) -> Floats:
    """Numbers, NaN where the text is none."""
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        text = column.cast(pa.binary())
        known = pa.compute.match_substring_regex(text, _NUMBER)
        text = pa.compute.if_else(pa.compute.fill_null(known, False), text, None)
        column = pa.compute.ascii_trim_whitespace(text.cast(pa.string()))
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.full(len(column), np.nan)
    numbers: Floats = (
        column.cast(pa.float64(), safe=False).combine_chunks().to_numpy(zero_copy_only=False)
    )
    return numbers


def _times(pa: Any, column: Any, *, is_dated: bool) -> Floats:
    if not is_dated:
        return _numbers(pa, column)
    coded = column.combine_chunks().dictionary_encode()  # many VMs share each time
    times = np.array([_seconds(value) for value in coded.dictionary.to_pylist()] + [np.nan])
    codes = pa.compute.fill_null(coded.indices, len(times) - 1).to_numpy(zero_copy_only=False)
    seconds: Floats = times[codes]
    return seconds


def _seconds(value: Any) -> float:
    if isinstance(value, bytes):
        try:
            value = datetime.fromisoformat(value.decode("utf-8", "replace").strip())
        except ValueError:
            return float("nan")
    if not isinstance(value, datetime):
        return float("nan")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def read_parquet_rows(path: Path, account: Account) -> Rows:
    """Read the same columns from a Parquet file.

    Raises:
        TraceError: it cannot be read, or is read strictly and has a malformed row.
    """
    pa = arrow(f"{path.name} (Parquet)")
    columns = parquet_columns(path)
    layout = layout_of(columns, path)
    try:
        table = pa.parquet.read_table(path, columns=layout.columns)
    except (OSError, pa.ArrowException) as error:
        raise TraceError(f"{path}: it cannot be read as Parquet: {error}") from error
    lines = np.arange(1, table.num_rows + 1, dtype=np.int64)
    raw, names = raw_columns(pa, path, table, layout, lines)
    return good_rows(raw, names, path, account, word="row")


def parquet_columns(path: Path) -> list[str]:
    """The names of a Parquet file's columns.

    Raises:
        TraceError: it cannot be read.
    """
    pa = arrow(f"{path.name} (Parquet)")
    try:
        return list(pa.parquet.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise TraceError(f"{path}: it cannot be read as Parquet: {error}") from error
