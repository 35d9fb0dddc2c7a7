"""The file of fitted constants: which were fitted, to what, when, on which machine."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from aerostat.ports.errors import AerostatError
from aerostat.sim.constants import GuestPhysics, SwapDevice

GUEST = (
    "kernel_fixed_bytes",
    "system_bytes",
    "inflate_bytes_per_s",
    "inflate_untouched_factor",
    "deflate_bytes_per_s",
    "reclaim_blind_ratio",
    "request_cpu_s",
    "first_touch_s",
)
SWAP = ("page_in_s", "out_bytes_per_s")
FITTED = (*GUEST, *SWAP)
"""Every constant that real guests tell; all others keep what docs/simulator.md says."""


class CalibrationError(AerostatError):
    """A file of constants cannot be used; the message names it, what is wrong, and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """What simulated guests are made of.

    Attributes:
        guest: kernel, balloon driver and workload.
        swap: the guest's swap device.
        source: where the fitted ones come from, in words.
        spread: of each fitted constant, the least and the greatest that a repeat gave.
    """

    guest: GuestPhysics = GuestPhysics()
    swap: SwapDevice = SwapDevice()
    source: str = "the constants of docs/simulator.md, fitted to nothing"
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def value(self, name: str) -> float:
        """A constant that can be fitted, by name."""
        return float(getattr(self.swap if name in SWAP else self.guest, name))

    def with_values(self, values: Mapping[str, float]) -> "Constants":
        """The same with some of them replaced."""
        guest = {n: _whole(n, v) for n, v in values.items() if n in GUEST}
        swap = {name: value for name, value in values.items() if name in SWAP}
        return replace(
            self,
            guest=replace(self.guest, **guest),  # type: ignore[arg-type] # sizes are whole
            swap=replace(self.swap, **swap),  # type: ignore[arg-type] # both are floats
        )


UNCALIBRATED = Constants()
"""What docs/simulator.md says."""


def calibrated_for(accelerator: str) -> Constants:
    """The constants that come with Aerostat for an accelerator; without a file, the page's."""
    path = Path(str(files("aerostat.sim.calibration").joinpath(f"{accelerator}.toml")))
    return read_constants(path) if path.is_file() else UNCALIBRATED


def read_constants(path: Path) -> Constants:
    """Read a file that ``aerostat lab calibrate`` wrote.

    Raises:
        CalibrationError: it cannot be read, or a constant in it is unknown or no positive number.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CalibrationError(f"{path} is no file of constants: {error}") from error
    table = document.get("constants")
    if not isinstance(table, dict) or not table:
        raise CalibrationError(f"{path} has no table [constants]: write it with lab calibrate")
    values: dict[str, float] = {}
    spread: dict[str, tuple[float, float]] = {}
    for name, row in table.items():
        if name not in FITTED:
            known = ", ".join(FITTED)
            raise CalibrationError(f"{path}: {name} cannot be fitted; what can is {known}")
        numbers = [row.get(key) if isinstance(row, dict) else None for key in _KEYS]
        if not all(_is_positive(number) for number in numbers):
            raise CalibrationError(
                f"{path}: {name} is {row!r}; write value, least and greatest, each above 0"
            )
        values[name], least, greatest = (float(number) for number in numbers)  # type: ignore[arg-type] # checked
        spread[name] = (least, greatest)
    about = " ".join(f"{document.get(key, '')}" for key in ("accelerator", "date", "machine"))
    constants = UNCALIBRATED.with_values(values)
    return replace(constants, source=f"{path.name}: {about}", spread=spread)


def write_constants(
    path: Path, constants: Constants, about: Mapping[str, str | int | float]
) -> None:
    """Write a file of constants.

    Args:
        path: where; what was there is replaced.
        constants: those with a spread are written.
        about: accelerator, date, machine, hypervisor and the like.
    """
    lines = [
        "# Fitted to real guests by `aerostat lab calibrate`; sizes in bytes, times in seconds."
    ]
    lines += [f"{key} = {_toml(value)}" for key, value in about.items()]
    lines.append("")
    for name, (least, greatest) in constants.spread.items():
        three = zip(_KEYS, (constants.value(name), least, greatest), strict=True)
        row = ", ".join(f"{key} = {number:.6g}" for key, number in three)
        lines += [f"[constants.{name}]", *row.split(", ")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


_KEYS = ("value", "least", "greatest")


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _is_positive(number: object) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return math.isfinite(number) and number > 0


def _whole(name: str, value: float) -> float:
    return round(value) if name in {"kernel_fixed_bytes", "system_bytes"} else value
