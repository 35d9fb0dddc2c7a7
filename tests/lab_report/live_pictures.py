"""Frames for the live view, made from a synthetic arm second by second."""

from collections.abc import Iterator

from aerostat.lab.live import DecisionPicture, GuestPicture, HostPicture, LivePicture
from aerostat.lab.recording import ArmRecording, ArmSecond, GuestSecond
from aerostat.lab.scoring.histogram import percentile_s
from aerostat.units import MIB
from lab_report import synthetic


def pictures(arm: ArmRecording) -> Iterator[LivePicture]:
    """What a person would have seen while this arm ran."""
    before: ArmSecond | None = None
    for second in arm.seconds:
        yield LivePicture(
            title="Aerostat demo",
            arm=f"{arm.policy}, arm 3 of 3",
            elapsed_s=second.elapsed_s + 30,
            total_s=75.0,
            phase="the large working set moves between the guests",
            guests=tuple(
                _guest(name, row, before.guests[name] if before else row)
                for name, row in second.guests.items()
            ),
            host=HostPicture(
                budget_bytes=arm.budget_bytes,
                held_bytes=second.host_held_bytes,
                reserve_bytes=40 * MIB,
                pressure_some_ratio=0.004,
            ),
            decisions=tuple(
                DecisionPicture(
                    age_s=second.elapsed_s - said.elapsed_s, guest=said.guest, words=said.words
                )
                for said in reversed(arm.decisions)
                if said.elapsed_s <= second.elapsed_s
            )[:6],
            notes=("TCG: emulated guests; compare the arms, not absolute speeds",),
        )
        before = second


def _guest(name: str, row: GuestSecond, before: GuestSecond) -> GuestPicture:
    now, then = row.workload, before.workload
    assert now is not None
    assert then is not None
    return GuestPicture(
        name=name,
        max_bytes=synthetic.MAX_BYTES,
        actual_bytes=row.actual_bytes,
        target_bytes=row.target_bytes,
        used_bytes=row.used_bytes,
        cache_bytes=row.cache_bytes,
        free_bytes=row.free_bytes,
        hot_bytes=row.hot_bytes,
        served_per_s=now.served,
        offered_per_s=now.offered,
        latency_p99_s=percentile_s(now.latency_histogram, 0.99),
        pressure_some_ratio=now.pressure_some_s - then.pressure_some_s,
        swap_in_bytes_per_s=now.swap_in_bytes - then.swap_in_bytes,
        swap_out_bytes_per_s=now.swap_out_bytes - then.swap_out_bytes,
        state=_state(row),
    )


def _state(row: GuestSecond) -> str:
    change_bytes = (row.target_bytes or 0) - (row.actual_bytes or 0)
    if change_bytes == 0:
        return "steady"
    return "growing" if change_bytes > 0 else "shrinking"
