"""From what an experiment knows to what the live view shows."""

from collections.abc import Sequence

from aerostat.lab.experiment.arm import Watch
from aerostat.lab.experiment.controller import Controller
from aerostat.lab.live import DecisionPicture, GuestPicture, HostPicture, LivePicture
from aerostat.lab.recording import ArmSecond, GuestSecond, WorkloadSample
from aerostat.lab.scoring.histogram import percentile_s
from aerostat.units import format_size

DECISIONS_SHOWN = 6

ARM_WORDS = {
    "unconstrained": "everything to everybody, as a reference",
    "static": "even split, held",
    "adaptive": "balanced by Aerostat",
}


def guest_picture(
    name: str, max_bytes: int, second: GuestSecond | None, before: GuestSecond | None
) -> GuestPicture:
    """One guest as of its last second."""
    if second is None:
        return GuestPicture(name=name, max_bytes=max_bytes)
    sample = second.workload
    return GuestPicture(
        name=name,
        max_bytes=max_bytes,
        actual_bytes=second.actual_bytes,
        target_bytes=second.target_bytes,
        used_bytes=second.used_bytes,
        cache_bytes=second.cache_bytes,
        free_bytes=second.free_bytes,
        hot_bytes=second.hot_bytes,
        served_per_s=None if sample is None else float(sample.served),
        offered_per_s=None if sample is None else float(sample.offered),
        latency_p99_s=None if sample is None else percentile_s(sample.latency_histogram, 0.99),
        pressure_some_ratio=_rate(sample, before, "pressure_some_s"),
        swap_in_bytes_per_s=_rate(sample, before, "swap_in_bytes"),
        swap_out_bytes_per_s=_rate(sample, before, "swap_out_bytes"),
        state=_state(second),
    )


def _rate(sample: WorkloadSample | None, before: GuestSecond | None, name: str) -> float | None:
    old = None if before is None else before.workload
    if sample is None or old is None or sample.uptime_s <= old.uptime_s:
        return None
    gained = float(getattr(sample, name)) - float(getattr(old, name))
    return max(0.0, gained) / (sample.uptime_s - old.uptime_s)


def _state(second: GuestSecond) -> str:
    sample = second.workload
    if sample is None:
        return "silent"
    if sample.offered and sample.served < 0.9 * sample.offered:
        return "starved"
    if second.target_bytes is not None and second.actual_bytes is not None:
        gap = second.target_bytes - second.actual_bytes
        if abs(gap) > 4 * 1024**2:
            return "growing" if gap > 0 else "giving"
    return "well"


def phase_words(watch: Watch) -> str:
    """Which phase it is, and who is big in it."""
    plan = watch.setting.phases[watch.phase_number]
    big = max(plan.hot_bytes, key=lambda guest: plan.hot_bytes[guest])
    count = len(watch.setting.phases)
    return (
        f"phase {watch.phase_number + 1} of {count}: "
        f"{big} works on {format_size(plan.hot_bytes[big])}"
    )


def host_picture(second: ArmSecond | None, budget_bytes: int | None) -> HostPicture:
    """The budget, and what the host itself measures its guests to hold."""
    held = None if second is None else second.host_held_bytes
    return HostPicture(budget_bytes=budget_bytes, held_bytes=held)


def recent_decisions(controller: Controller, now_s: float) -> tuple[DecisionPicture, ...]:
    """The last changes in words, newest first."""
    recent = tuple(controller.spoken.changes)[-DECISIONS_SHOWN:]
    return tuple(
        DecisionPicture(age_s=max(0.0, now_s - at_s), guest=guest, words=words)
        for at_s, guest, words in reversed(recent)
    )


def frame(
    watch: Watch,
    *,
    controller: Controller,
    max_bytes: dict[str, int],
    elapsed: tuple[float, float | None, float],
    history: Sequence[ArmSecond],
    notes: tuple[str, ...],
) -> LivePicture:
    """One whole frame.

    Args:
        watch: where the arm stands.
        controller: whose decisions are shown.
        max_bytes: every guest's RAM.
        elapsed: seconds into the experiment, its expected length, and the clock's time.
        history: the two newest seconds, older first, for rates.
        notes: what a viewer has to know.
    """
    elapsed_s, total_s, now_s = elapsed
    newest = history[-1] if history else None
    before = history[-2] if len(history) > 1 else None
    setting = watch.setting
    return LivePicture(
        title="Aerostat demo",
        arm=f"{ARM_WORDS.get(setting.policy, setting.policy)} (run {setting.repeat})",
        elapsed_s=elapsed_s,
        total_s=total_s,
        phase=phase_words(watch),
        guests=tuple(
            guest_picture(
                name,
                size,
                None if newest is None else newest.guests[name],
                None if before is None else before.guests[name],
            )
            for name, size in max_bytes.items()
        ),
        host=host_picture(newest, setting.budget_bytes),
        decisions=recent_decisions(controller, now_s),
        notes=notes,
    )
