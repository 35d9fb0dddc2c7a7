"""docs/store.md says what the schema says, and the schema has room for all the model knows."""

import re
import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path

from aerostat.model.figures import BalloonStatistics, GuestPressure, VmFootprint
from aerostat.model.guest import GuestSnapshot
from aerostat.model.host import HostMemory
from aerostat.model.plan import GuestTrace, HostTrace, TargetChange
from aerostat.store import rows
from aerostat.store.schema import APPLICATION_ID, SCHEMA_VERSION, columns, schema_text

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text(encoding="utf-8")


def declared() -> dict[str, list[str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema_text())
        return {table: sorted(found) for table, found in columns(connection).items()}


def documented() -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for section in PAGE.split("\n### ")[1:]:
        name = re.match(r"`(\w+)`", section)
        assert name is not None, section[:40]
        cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
        tables[name[1]] = sorted(
            column for cell in cells for column in re.findall(r"`(\w+)`", cell)
        )
    return tables


def test_the_page_has_every_table_and_every_column() -> None:
    assert documented() == declared()


def test_the_page_names_this_version() -> None:
    assert f"the version of this schema: **{SCHEMA_VERSION}**" in PAGE
    assert f"`0x{APPLICATION_ID:08X}`".lower() in PAGE.lower()


def test_everything_the_model_knows_has_a_column() -> None:
    """What the model learns must not be lost: a new field needs a column that may be NULL."""
    table = {name: set(found) for name, found in declared().items()}

    def names(kind: type, prefix: str = "", *, without: tuple[str, ...] = ()) -> set[str]:
        return {prefix + field.name for field in fields(kind)} - set(without)

    # What is declared at a VM shows in its decisions; only the tape has it word by word.
    parts = ("statistics", "pressure", "footprint", "declared", "number", "tags")
    assert table["sample"] >= names(GuestSnapshot, without=("name", *parts))
    assert table["sample"] >= names(BalloonStatistics, "statistics_")
    assert table["sample"] >= names(GuestPressure, "pressure_")
    assert table["sample"] >= names(VmFootprint, "footprint_")
    assert table["decision"] >= names(GuestTrace, without=("name",))
    assert table["round"] >= names(HostTrace) | names(HostMemory, "host_")
    assert table["target_change"] >= names(TargetChange)
    assert table["event"] >= set(rows.EVENT)
