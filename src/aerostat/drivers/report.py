"""What a guest's balloon driver reported, however it came here; nothing of it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aerostat.model.figures import Absence, AbsentFigure, BalloonStatistics

_PARTS_OF_TOTAL = ("available_bytes", "free_bytes", "cache_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
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
        names = tuple(AbsentFigure(name=n, why=Absence.NEVER_SAMPLED) for n in read)
        return GuestReport(updated_wall_s=None, absent=names)
    kept = _without_absurd(read, max_bytes=max_bytes)
    return GuestReport(
        updated_wall_s=updated_wall_s,
        values={name: value for name, value in kept.items() if isinstance(value, int)},
        absent=tuple(
            AbsentFigure(name=name, why=value)
            for name, value in kept.items()
            if isinstance(value, Absence)
        ),
    )


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
