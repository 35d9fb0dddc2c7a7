"""Stores with a story in them: situations of guests, driven through the real engine."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aerostat.config import Config, load_config
from aerostat.model.events import LifecycleChanged, LifecycleKind
from aerostat.model.figures import VmFootprint
from aerostat.model.guest import GuestId, RunState
from aerostat.ports.journal import RoundRecord
from builders import Guest, World
from recorded_rounds import Recorder, remember

GOLDEN = Path(__file__).parent / "golden"
BUDGET = '[host]\nbudget = "900MiB"\nburst_reserve = "1MiB"\n[advanced]\ngrace = "5s"\n'


def assert_golden(name: str, text: str) -> None:
    """Compare with a kept text; AEROSTAT_UPDATE_GOLDEN=1 writes it anew, to be reviewed."""
    path = GOLDEN / name
    if os.environ.get("AEROSTAT_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


def configured(folder: Path, mode: str = "enforce") -> Config:
    path = folder / "aerostat.toml"
    path.write_text(f'mode = "{mode}"\n{BUDGET}')
    return load_config(path)


@dataclass(kw_only=True)
class Story:
    """A store, and the recorder that wrote it."""

    path: Path
    recorder: Recorder

    @property
    def end_wall_s(self) -> float:
        return self.recorder.wall_s


Tell = Callable[[Recorder], Sequence[RoundRecord]]


def told(folder: Path, tell: Tell, *, mode: str = "enforce", shift_s: float = 0.0) -> Story:
    """Write a store in which three guests on 900 MiB go through something."""
    config = configured(folder, mode)
    guests = [Guest(name=name, actual_mib=300, used_mib=150) for name in ("db-1", "db-2", "web")]
    is_enforced = mode == "enforce"
    world = World(guests=guests, params=config.engine_params(), obeys=is_enforced)
    recorder = Recorder(world=world, was_enforced=is_enforced, shift_s=shift_s)
    path = folder / "aerostat.db"
    remember(path, list(tell(recorder)), configuration=config.stored_text())
    return Story(path=path, recorder=recorder)


def quiet(recorder: Recorder) -> list[RoundRecord]:
    """Nothing happens."""
    return recorder.rounds(60)


def db_1_in_distress(recorder: Recorder) -> list[RoundRecord]:
    """It runs out of memory at once; the others give."""
    rounds = recorder.rounds(60)
    recorder.world.guest("db-1").used_mib = 299
    for _ in range(10):
        recorder.world.guest("db-1").swap_out_mib += 20
        rounds += recorder.rounds(1)
    return rounds


def web_waits(recorder: Recorder) -> list[RoundRecord]:
    """It wants more while nobody has anything to spare."""
    for guest in recorder.world.guests:
        guest.used_mib = 245
    rounds = recorder.rounds(60)
    for _ in range(48):
        recorder.world.guest("web").used_mib += 1
        rounds += recorder.rounds(1)
    return rounds


def db_2_says_nothing(recorder: Recorder) -> list[RoundRecord]:
    """It has a balloon device and no driver."""
    guest = recorder.world.guest("db-2")
    guest.has_statistics = False
    recorder.world.guest("web").used_mib = 290
    return recorder.rounds(60)


def db_2_stops_talking(recorder: Recorder) -> list[RoundRecord]:
    """Its figures grow old while another guest wants its memory."""
    recorder.world.guest("db-2").used_mib = 60
    rounds = recorder.rounds(60)
    recorder.world.guest("db-2").frozen_wall_s = recorder.wall_s - recorder.shift_s
    rounds += recorder.rounds(40)
    recorder.world.guest("web").used_mib = 299
    return rounds + recorder.rounds(1)


def db_2_does_not_answer(recorder: Recorder) -> list[RoundRecord]:
    """Its monitor hangs."""
    rounds = recorder.rounds(60)
    guest = recorder.world.guest("db-2")
    guest.run_state, guest.actual_mib, guest.has_statistics = RunState.UNREACHABLE, None, False
    late = recorder.rounds(8)
    return rounds + [
        replace(
            record,
            snapshot=replace(
                record.snapshot,
                guests=tuple(
                    replace(g, trouble="its hypervisor does not answer in time")
                    if g.name == "db-2"
                    else g
                    for g in record.snapshot.guests
                ),
            ),
        )
        for record in late
    ]


def db_1_does_not_move(recorder: Recorder) -> list[RoundRecord]:
    """It is asked to give, and its balloon stands still."""
    for name in ("db-2", "web"):
        recorder.world.guest(name).used_mib = 60
    rounds = recorder.rounds(60)
    recorder.world.obeys = False
    recorder.world.guest("db-1").used_mib = 60
    recorder.world.guest("web").used_mib = 299
    return rounds + recorder.rounds(24)


def web_disappears(recorder: Recorder) -> list[RoundRecord]:
    """It is shut down, and the daemon goes on."""
    rounds = recorder.rounds(60)
    recorder.world.guests = [g for g in recorder.world.guests if g.name != "web"]
    recorder.happened = [
        LifecycleChanged(guest=GuestId("web"), kind=LifecycleKind.SHUTDOWN),
        LifecycleChanged(guest=GuestId("web"), kind=LifecycleKind.DISAPPEARED),
    ]
    return rounds + recorder.rounds(120)


def measured(recorder: Recorder) -> list[RoundRecord]:
    """The host measures what the VMs really hold."""
    footprint = VmFootprint(age_s=0.0, cgroup_bytes=345 << 20)
    return [
        replace(
            record,
            snapshot=replace(
                record.snapshot,
                guests=tuple(replace(g, footprint=footprint) for g in record.snapshot.guests),
            ),
        )
        for record in recorder.rounds(60)
    ]
