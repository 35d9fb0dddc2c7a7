"""Long tables, CSV and Parquet: what is read, what is counted and skipped, what is refused."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aerostat.sim.trace import Trace, TraceError, read_trace
from aerostat.sim.trace.trace import Reading
from aerostat.units import GIB, MIB

HEAD = "vm,time_s,used_mib,max_gib"
STRICT = Reading(is_strict=True)


def written(folder: Path, rows: Sequence[str], head: str = HEAD) -> Path:
    path = folder / "fleet.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def rows(samples: int = 20, vms: Sequence[str] = ("a", "b")) -> list[str]:
    return [f"{vm},{1000 + 60 * n},{100 + n},4" for n in range(samples) for vm in vms]


def refusal(path: Path, reading: Reading | None = None) -> str:
    with pytest.raises(TraceError) as caught:
        read_trace(path, reading)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_a_clean_table_is_read_as_it_stands(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, rows()), STRICT)
    assert trace.name == "fleet"
    assert trace.names == ("a", "b")
    assert trace.sample_s == 60
    assert trace.max_bytes.tolist() == [4 * GIB, 4 * GIB]
    assert trace.used_bytes[1].tolist() == [(100 + n) * MIB for n in range(20)]
    assert trace.notes == ()


def test_rows_may_come_in_any_order_and_columns_too(tmp_path: Path) -> None:
    clean = read_trace(written(tmp_path, rows()))
    turned = [",".join(row.split(",")[::-1]) for row in reversed(rows())]
    mixed = read_trace(written(tmp_path, turned, "max_gib,used_mib,time_s,vm"))
    assert (mixed.used_bytes == clean.used_bytes).all()
    assert mixed.names == clean.names


def test_times_may_be_dates_in_utc(tmp_path: Path) -> None:
    dated = [f"a,2026-03-01T00:{n:02d}:00Z,5,4" for n in range(30)]
    trace = read_trace(written(tmp_path, dated, "vm,time,used_mib,max_gib"), STRICT)
    assert (trace.sample_s, trace.used_bytes.shape) == (60, (1, 30))


MALFORMED = {
    "a,1000": "it has too many or too few fields",
    "a,1000,1,2,3": "it has too many or too few fields",
    "": "there is no VM's name",
    ",1060,5,4": "there is no VM's name",
    "a,soon,5,4": "the time is no number or date",
    "a,-5,5,4": "the time is before 1970 or beyond the year 5000",
    "a,1060,many,4": "the memory used is no number",
    "a,1060,,4": "the memory used is no number",
    "a,1060,nan,4": "the memory used is no number",
    "a,1060,-1,4": "the memory used is negative or above 64 TiB",
    "a,1060,5,1e9": "the memory of the VM is negative or above 64 TiB",
    "a,1060,\xff,4": "the memory used is no number",
}


@pytest.mark.parametrize("row", MALFORMED)
def test_malformed_rows_are_counted_and_skipped_or_refused(tmp_path: Path, row: str) -> None:
    """With the line of the first, also behind lines that could not be taken apart."""
    table = rows()
    path = written(tmp_path, [*table[:5], row, *table[5:], "x", row])
    trace = read_trace(path)
    assert (trace.used_bytes == read_trace(written(tmp_path, table)).used_bytes).all()
    written(tmp_path, [*table[:5], row, *table[5:], "x", row])
    note = next(note for note in trace.notes if MALFORMED[row] in note)
    assert "fleet.csv:7)" in note
    expected = 3 if "fields" in MALFORMED[row] else 2
    assert note.startswith(f"{expected} of 43 rows skipped")
    told = refusal(path, STRICT)
    assert "fleet.csv:7: " in told
    assert "--strict" in told


def test_of_two_rows_in_one_sample_the_greatest_counts(tmp_path: Path) -> None:
    """Clocks jitter: rows are sorted into samples by time and never counted through."""
    table = [f"a,{1000 + 60 * n + n % 3 - 1},{100 + n},4" for n in range(20)]
    trace = read_trace(written(tmp_path, [*table, "a,1001,900,4", "a,1000,3,4"]))
    assert trace.sample_s in (59, 60, 61)
    assert trace.used_bytes[0, 0] == 900 * MIB
    assert trace.used_bytes.shape[1] in (20, 21)
    assert any("fell into the sample of another row" in note for note in trace.notes)


def test_gaps_hold_the_last_value_and_are_told(tmp_path: Path) -> None:
    own = [row for row in rows(40) if not row.startswith("a,1600,")]
    trace = read_trace(written(tmp_path, [row for row in own if ",2200," not in row]))
    assert trace.used_bytes[0, 10] == 109 * MIB  # at 1600: a alone is missing
    assert trace.used_bytes[1, 10] == 110 * MIB
    assert trace.used_bytes[:, 20].tolist() == [119 * MIB] * 2  # at 2200: both are
    assert "1 samples missing for all VMs at once, filled with the last one" in trace.notes
    assert "1 other samples missing, filled with the VM's last one" in trace.notes


def test_vms_that_come_go_stop_or_do_not_fit_are_left_out_and_told(tmp_path: Path) -> None:
    late = rows(10, ["late"])
    small = [f"small,{1000 + 60 * n},10,0.5" for n in range(40)]
    stopped = [f"stopped,{1000 + 60 * n},10,{0 if n == 7 else 4}" for n in range(40)]
    trace = read_trace(written(tmp_path, rows(40) + late + small + stopped))
    assert trace.names == ("a", "b")
    assert "2 VMs left out: not there all the time" in trace.notes
    assert "1 VMs left out: not of 1024 MiB to 64 GiB" in trace.notes
    both = read_trace(
        written(tmp_path, rows(40) + small), Reading(smallest_bytes=GIB // 2, is_strict=True)
    )
    assert both.vms == 3


def test_use_above_the_vms_own_memory_is_cut_off(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, [*rows(), "a,2200,9000,4", "b,2200,1,4"]))
    assert trace.used_bytes[0, 20] == 4 * GIB
    assert "1 samples above the VM's own memory were cut off" in trace.notes


def test_what_is_no_trace_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").touch()
    assert "empty.csv: it is empty" in refusal(tmp_path / "empty.csv")
    assert "there is no row" in refusal(written(tmp_path, []))
    assert "vm, time_s" in refusal(written(tmp_path, rows(), "name,time_s,used_mib,max_gib"))
    assert "used_bytes, used_kib" in refusal(written(tmp_path, rows(), "vm,time_s,used,max_gib"))
    assert "max_mib" in refusal(written(tmp_path, rows(), "vm,time_s,used_mib,max_tib"))
    mostly = refusal(written(tmp_path, [*rows(2), *["a,b,c,d"] * 9]))
    assert "9 of 13 rows are malformed" in mostly
    assert "fleet.csv:6" in mostly
    assert "not the layout" in mostly
    other = tmp_path / "trace.txt"
    other.touch()
    assert ".csv, .parquet, .npz" in refusal(other)


def test_absurd_times_are_refused(tmp_path: Path) -> None:
    assert "two different times" in refusal(written(tmp_path, ["a,1,5,4", "b,2,5,4"]))
    far = [f"a,{n * 10**8},5,4" for n in range(9)]
    assert "more than a day" in refusal(written(tmp_path, far))
    wide = [*rows(3), "a,90000000000,5,4"]
    assert "is the time in seconds?" in refusal(written(tmp_path, wide))
    one = Reading(sample_s=86_400)
    assert "within one sample of 24.0 h" in refusal(written(tmp_path, rows()), one)


def test_a_time_that_is_mistyped_is_a_malformed_row(tmp_path: Path) -> None:
    """One digit too many asks for a grid of centuries: the row is skipped, and told."""
    table = rows()
    path = written(tmp_path, [*table[:5], "a,17672256000,5,4", *table[5:]])
    trace = read_trace(path)
    assert trace.used_bytes.shape == (2, 20)
    assert "the time is far from that of all other rows" in trace.notes[0]
    assert "fleet.csv:7)" in trace.notes[0]
    assert "fleet.csv:7: the time is far" in refusal(path, STRICT)


def test_rows_that_are_lost_in_their_own_time_are_refused(tmp_path: Path) -> None:
    """Before gigabytes are asked for; what is missing for a while only is filled."""
    lost = [f"a,{1000 + n},5,4" for n in range(20)] + [f"a,{10**7 * n},5,4" for n in range(1, 12)]
    told = refusal(written(tmp_path, lost))
    assert "31 rows are no 110000001 samples" in told or "samples of 1 s of 1 VMs" in told


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    told = refusal(written(tmp_path, [f"{row},x" for row in rows()], f"{HEAD},vm"))
    assert "fleet.csv:1: there are two columns of one name: vm" in told
    other = read_trace(written(tmp_path, [f"{row},x,y" for row in rows()], f"{HEAD},note,note"))
    assert other.vms == 2, "what is not read may be there as often as it likes"


def parquet(folder: Path, columns: dict[str, pa.Array]) -> Path:
    path = folder / "fleet.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def columns_of(table: Sequence[str]) -> dict[str, pa.Array]:
    cells = [row.split(",") for row in table]
    return {
        "vm": pa.array([cell[0] for cell in cells]),
        "time_s": pa.array([int(cell[1]) for cell in cells]),
        "used_bytes": pa.array([int(cell[2]) * MIB for cell in cells]),
        "max_bytes": pa.array([int(cell[3]) * GIB for cell in cells]),
        "colour": pa.array(["red"] * len(cells)),
    }


def same(one: Trace, other: Trace) -> bool:
    return bool((one.used_bytes == other.used_bytes).all()) and one.names == other.names


def test_parquet_is_the_same_table(tmp_path: Path) -> None:
    columns = read_trace(parquet(tmp_path, columns_of(rows())))
    assert same(columns, read_trace(written(tmp_path, rows())))


def test_parquet_rows_are_counted_too(tmp_path: Path) -> None:
    columns = columns_of(rows())
    used = columns["used_bytes"].to_pylist()
    used[3] = None
    path = parquet(tmp_path, {**columns, "used_bytes": pa.array(used)})
    note = read_trace(path).notes[0]
    assert note.startswith("1 of 40 rows skipped: the memory used is no number")
    assert "row 4" in note
    assert "row 4: the memory used is no number" in refusal(path, STRICT)
    path.write_bytes(path.read_bytes()[:200])
    assert "cannot be read as Parquet" in refusal(path)


@pytest.mark.parametrize("column", ["vm", "time_s", "used_bytes", "max_bytes"])
def test_a_column_of_lists_is_told_by_its_name(tmp_path: Path, column: str) -> None:
    columns = columns_of(rows())
    lists = pa.array([[value] for value in columns[column].to_pylist()])
    told = refusal(parquet(tmp_path, {**columns, column: lists}))
    assert "fleet.parquet" in told
    assert column in told or "no number" in told


def test_a_recordings_guests_are_a_trace(tmp_path: Path) -> None:
    """Rounds in which a guest gave no figures say nothing, and are no malformed rows."""
    samples = 90
    used = [None if n % 2 else (100 + n) * MIB for n in range(samples)]
    path = parquet(
        tmp_path,
        {
            "round": pa.array(range(samples)),
            "was_enforced": pa.array([True] * samples),
            "wall_s": pa.array([1.7e9 + n / 2 for n in range(samples)]),
            "guest": pa.array(["db-1"] * samples),
            "max_bytes": pa.array([GIB // 2] * samples),  # small: it is the operator's own
            "decided_used_bytes": pa.array(used, pa.int64()),
        },
    )
    trace = read_trace(path, STRICT)
    assert trace.sample_s == 10
    assert trace.names == ("db-1",)
    assert trace.used_bytes[0, 1] == 128 * MIB, "the greatest of ten seconds"
    fine = read_trace(path, Reading(is_strict=True, sample_s=1.0))
    assert fine.used_bytes[0].tolist() == [(100 + n) * MIB for n in range(0, samples, 2)]


def test_what_reads_files_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install '.[plan]'" in refusal(written(tmp_path, rows()))


def test_rows_that_a_quote_swallows_are_counted(tmp_path: Path) -> None:
    """Else half a trace would be missing, and one row be said to be."""
    table = rows(90)
    few, many = [*table[:170], 'a,"1000', *table[170:]], [*table[:20], 'a,"1000', *table[20:]]
    told = read_trace(written(tmp_path, few)).notes
    assert any("inside a quote that is not closed" in note for note in told), told
    assert "inside a quote that is not closed" in refusal(written(tmp_path, many))


def test_names_that_are_no_text_are_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    lines = [f"{vm},{1000 + 60 * n},100,4" for n in range(20) for vm in ("caf\xe9", "caf\xe8", "b")]
    path.write_bytes("\n".join([HEAD, *lines]).encode("latin-1"))
    assert "there is no VM's name" in refusal(path, Reading(is_strict=True))
    assert "malformed" in refusal(path), "two of three rows are"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("vm,time_s,used_mib,used_gib,max_gib", "used_mib and used_gib say the same"),
        ("vm,time_s,time,used_mib,max_gib", "time_s and time say the same"),
        (",".join(["\x1b[31m"] * 99), "and 87 more"),
    ],
)
def test_heads_that_say_two_things_or_none_are_refused(
    tmp_path: Path, head: str, words: str
) -> None:
    said = refusal(written(tmp_path, ["a,1,2,3,4"], head))
    assert words in said
    assert "\x1b" not in said
