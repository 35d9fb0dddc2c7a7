"""What a guest's balloon driver reported, however it came here; nothing of it is believed."""

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache

from aerostat.model.figures import Absence, AbsentFigure, BalloonStatistics
from aerostat.model.sealed import sealed

_PARTS_OF_TOTAL = ("available_bytes", "free_bytes", "cache_bytes")


@sealed
class GuestReport:
    """One sample, before its age is known. A figure is in ``values`` or in ``absent``."""

    updated_wall_s: float | None  # QEMU's time stamp; None: the guest's driver never reported
    values: Mapping[str, int] = field(default_factory=dict)
    absent: tuple[AbsentFigure, ...] = ()

    def aged(self, age_s: float) -> BalloonStatistics:
        """The statistics as the model has them; without any sample their age is zero."""
        return BalloonStatistics(
            sampled_wall_s=self.updated_wall_s or 0.0,
            age_s=age_s if self.updated_wall_s is not None else 0.0,
            absent=self.absent,
            **self.values,
        )


def report_of(
    read: Mapping[str, int | Absence], *, updated_wall_s: float, max_bytes: int | None
) -> GuestReport:
    """One sample, without what cannot be.

    Args:
        read: every figure that the model knows by its name there, or why it has no value.
        updated_wall_s: the hypervisor's time stamp; 0 or less: the guest never reported.
        max_bytes: RAM of the VM; sizes above it cannot be. None: not known, so not checked.
    """
    if updated_wall_s <= 0:
        names = tuple(_absent(n, Absence.NEVER_SAMPLED) for n in read)
        return GuestReport(updated_wall_s=None, absent=names)
    values: dict[str, int] = {}
    absent: list[AbsentFigure] = []
    for name, value in _without_absurd(read, max_bytes=max_bytes).items():
        if isinstance(value, Absence):
            absent.append(_absent(name, value))
        else:
            values[name] = value
    return GuestReport(updated_wall_s=updated_wall_s, values=values, absent=tuple(absent))


@lru_cache(maxsize=256)
def _absent(name: str, why: Absence) -> AbsentFigure:
    """The same object for the same figure: guests lack the same ones again and again."""
    return AbsentFigure(name=name, why=why)


def _without_absurd(
    read: Mapping[str, int | Absence], *, max_bytes: int | None
) -> dict[str, int | Absence]:
    """Mark what contradicts the VM's size or the guest's own total."""
    kept = dict(read)
    total = kept["total_bytes"]
    if isinstance(total, int) and (total == 0 or (max_bytes is not None and total > max_bytes)):
        kept["total_bytes"] = total = Absence.ABSURD
    bound_bytes = total if isinstance(total, int) else max_bytes
    for name in _PARTS_OF_TOTAL:
        part = kept.get(name)
        if isinstance(part, int) and bound_bytes is not None and part > bound_bytes:
            kept[name] = Absence.ABSURD
    return kept


class SampleAge:
    """How old the last sample is, by two clocks, the greater age counting.

    The time stamp is the host's wall clock, which may be set back: a frozen sample would look
    fresh until that clock has caught up. Since when the stamp has not moved is measured on the
    monotonic clock, but only from the first look.
    """

    def __init__(self) -> None:
        self._stamp_wall_s: float | None = None
        self._seen_s = 0.0

    def age_s(self, stamp_wall_s: float | None, *, now_s: float, wall_s: float) -> float:
        """Seconds since the sample was taken; zero when there is none."""
        if stamp_wall_s is None:
            return 0.0
        if stamp_wall_s != self._stamp_wall_s:
            self._stamp_wall_s, self._seen_s = stamp_wall_s, now_s
        return max(0.0, wall_s - stamp_wall_s, now_s - self._seen_s)
