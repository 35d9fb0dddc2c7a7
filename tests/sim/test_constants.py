"""The page lists every constant with the value it has."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from aerostat.planner.question import Question
from aerostat.sim.calibration import calibrated_for
from aerostat.sim.compression import COMPRESSED_RATIO
from aerostat.sim.constants import (
    BASE_LATENCY,
    REQUEST_TOUCHES,
    GuestPhysics,
    HostPhysics,
    SwapDevice,
)
from aerostat.sim.fleet import constants as fleet_constants
from aerostat.sim.fleet.full import constants as full_constants
from aerostat.sim.fleet.full.build import FullPhysics

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"
_ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_every_constant_is_on_the_page_with_its_value_and_source() -> None:
    """A constant without a source is an opinion."""
    page = PAGE.read_text(encoding="utf-8")
    documented = {name: value.strip() for name, value, _ in _ROW.findall(page)}
    del documented["BASE_LATENCY"]
    declared = {"REQUEST_TOUCHES": float(REQUEST_TOUCHES)}
    for group in (SwapDevice(), GuestPhysics(), HostPhysics()):
        for field in fields(group):
            declared[f"{type(group).__name__}.{field.name}"] = float(getattr(group, field.name))
    for prefix, module in (("fleet", fleet_constants), ("full", full_constants)):
        for name, value in vars(module).items():
            if name.isupper() and not name.startswith("_") and isinstance(value, int | float):
                declared[f"{prefix}.{name}"] = float(value)
    declared |= _of_full_physics()
    fitted = calibrated_for("tcg")
    declared |= {f"tcg.{name}": fitted.value(name) for name in fitted.spread}
    for name in ("fleet.GIB", "fleet.MIB", "full.GIB", "full.MIB"):  # units, not constants
        del declared[name]
    assert {name: float(value) for name, value in documented.items()} == pytest.approx(
        declared, rel=1e-5
    )
    assert all(len(source.strip()) >= 6 for _, _, source in _ROW.findall(page))


def _of_full_physics() -> dict[str, float]:
    """What guests and hosts of fleets are made of where nobody says otherwise."""
    full = FullPhysics()
    plain = {
        field.name: getattr(full, field.name)
        for field in fields(full)
        if field.name not in ("pace", "ages", "kernel_bytes")  # of constants, and by their names
    }
    plain |= {f"ages.{name}": value for name, value in full.ages._asdict().items()}
    return {f"FullPhysics.{name}": float(value) for name, value in plain.items()}


def test_compression_has_one_ratio() -> None:
    """In scenarios, in fleets and in plans."""
    asked = Question(host_bytes=1 << 30)
    ratios = {
        HostPhysics().compressed_ratio,
        FullPhysics().compressed_ratio,
        asked.compressed_ratio,
    }
    assert ratios == {COMPRESSED_RATIO}


def test_shares_of_the_base_latency_add_up() -> None:
    """Every request has a latency."""
    assert sum(share for share, _ in BASE_LATENCY) == pytest.approx(1.0)
