"""The throttled device: which disk it is, and that groups of killed labs go."""

from pathlib import Path

import pytest

from aerostat.lab.machine.cgroup import MemoryGroup
from aerostat.lab.machine.errors import MachineError
from aerostat.lab.techniques.swap_speed import SLOW, disk_of, throttled


def test_a_directory_on_no_disk_cannot_be_throttled() -> None:
    with pytest.raises(MachineError, match="no single disk"):
        disk_of(Path("/proc"))


def test_on_cgroup_v2_the_guests_group_is_held_and_let_go(tmp_path: Path) -> None:
    limits = tmp_path / "io.max"
    limits.touch()
    group = MemoryGroup(path=tmp_path, version=2)
    try:
        device = disk_of(tmp_path)
    except MachineError as error:
        pytest.skip(str(error))
    with throttled(tmp_path, group, [], SLOW) as throttle:
        throttle.join()  # nothing to do there: the group counts all that is in it
        assert limits.read_text() == f"{device} rbps=41943040 wbps=41943040 riops=1500 wiops=1500"
    assert limits.read_text() == f"{device} rbps=max wbps=max riops=max wiops=max"


def test_without_a_speed_nothing_is_touched(tmp_path: Path) -> None:
    with throttled(tmp_path, MemoryGroup(path=tmp_path, version=2), [], None) as throttle:
        throttle.join()
    assert list(tmp_path.iterdir()) == []
