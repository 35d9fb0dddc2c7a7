"""What a number of VMs on each host costs, by host and hour."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Figures = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """[host, hour] each."""

    short_byte_s: Figures  # wanted and not there
    wanted_byte_s: Figures
    pressed_s: Figures  # guests held more than the host has for them
    compressed_byte_s: Figures  # wanted and there, but compressed
    resident_byte_s: Figures  # RAM that guests' memory lies in, compressed pages apart
    hour_s: float

    @property
    def unmet_ratio(self) -> float:
        """Over all hosts and hours."""
        return _ratio(float(self.short_byte_s.sum()), float(self.wanted_byte_s.sum()))

    @property
    def pressed_ratio(self) -> float:
        """Share of the time."""
        return float(self.pressed_s.sum()) / (self.pressed_s.size * self.hour_s)

    @property
    def compressed_ratio(self) -> float:
        """Share of what was wanted."""
        return _ratio(float(self.compressed_byte_s.sum()), float(self.wanted_byte_s.sum()))

    @property
    def resident_bytes(self) -> float:
        """RAM of a host in which guests' memory lies, on the mean."""
        return float(self.resident_byte_s.sum()) / (self.pressed_s.size * self.hour_s)

    def of(self, hosts: npt.NDArray[np.bool_]) -> "Costs":
        """Those of some hosts."""
        return Costs(
            short_byte_s=self.short_byte_s[hosts],
            wanted_byte_s=self.wanted_byte_s[hosts],
            pressed_s=self.pressed_s[hosts],
            compressed_byte_s=self.compressed_byte_s[hosts],
            resident_byte_s=self.resident_byte_s[hosts],
            hour_s=self.hour_s,
        )

    def worst_hour(self) -> tuple[int, int, float]:
        """Host, hour and unmet ratio of the hour in which most of what was wanted lacked."""
        wanted = np.maximum(self.wanted_byte_s, 1.0)
        ratios = self.short_byte_s / wanted
        host, hour = np.unravel_index(int(np.argmax(ratios)), ratios.shape)
        return int(host), int(hour), float(ratios[host, hour])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
