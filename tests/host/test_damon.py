"""DAMON's files: taken, set up for a process, given back; whose they are when others use them."""

from pathlib import Path

import pytest

from aerostat.host.damon import ADMIN, MARK, SLOTS, Damon, probe_damon
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.technique import TechniqueError
from aerostat.units import MIB

PID = 4242


class Files(Kernel):
    """A kernel whose DAMON makes and removes directories as numbers of them are written."""

    operations = "vaddr fvaddr paddr"
    sums_up = True

    def make(self, name: str, text: str) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class PlayedDamon:
    """Plays the part of the kernel after every write of the code under test."""

    def __init__(self, damon: Damon, files: Files) -> None:
        self.written: list[tuple[str, str]] = []
        self._files = files
        real = damon._kernel.write

        def write(name: str, text: str, *, may_fall_short: bool = False) -> None:
            real(name, text, may_fall_short=may_fall_short)
            self.written.append((name, text))
            self._follow(name, text)

        damon._kernel.write = write  # type: ignore[method-assign] # the kernel answers to writes

    def _follow(self, name: str, text: str) -> None:
        make = self._files.make
        if name.endswith("nr_kdamonds"):
            for slot in range(int(text)):
                make(f"{ADMIN}/{slot}/state", "off\n")
                make(f"{ADMIN}/{slot}/pid", "-1\n")
                make(f"{ADMIN}/{slot}/contexts/nr_contexts", "0\n")
        elif name.endswith("nr_contexts"):
            at = name.removesuffix("nr_contexts") + "0"
            make(f"{at}/avail_operations", "\n".join(self._files.operations.split()) + "\n")
            for file in (
                *("operations", "targets/nr_targets", "schemes/nr_schemes"),
                *(f"monitoring_attrs/intervals/{n}" for n in ("sample_us", "aggr_us")),
                *(f"monitoring_attrs/nr_regions/{n}" for n in ("min", "max")),
            ):
                make(f"{at}/{file}", "0\n")
        elif name.endswith("nr_targets"):
            make(name.removesuffix("nr_targets") + "0/pid_target", "0\n")
        elif name.endswith("nr_schemes"):
            self._schemes(name.removesuffix("nr_schemes"), int(text))

    def _schemes(self, at: str, count: int) -> None:
        for number in range(count):
            for file in (
                *("action", "apply_interval_us"),
                *(
                    f"access_pattern/{n}/{b}"
                    for n in ("sz", "nr_accesses", "age")
                    for b in ("min", "max")
                ),
            ):
                self._files.make(f"{at}{number}/{file}", "0\n")
            if self._files.sums_up:
                self._files.make(
                    f"{at}{number}/tried_regions/total_bytes", f"{(number + 1) * MIB}\n"
                )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    found = Files(tmp_path)
    found.make(f"{ADMIN}/nr_kdamonds", "0\n")
    found.make("/proc/sys/kernel/random/boot_id", "boot-1\n")
    return found


def opened(files: Files) -> tuple[Damon, PlayedDamon]:
    damon = Damon(window_s=30.0, root=files.root)
    played = PlayedDamon(damon, files)
    damon.open()
    return damon, played


def test_a_process_is_watched_on_its_own_addresses(files: Files) -> None:
    damon, played = opened(files)
    assert damon.watch(PID)
    at = f"{ADMIN}/0/contexts/0"
    assert files.read(f"{at}/operations") == "vaddr"
    assert files.read(f"{at}/targets/0/pid_target") == str(PID)
    assert files.read(f"{at}/schemes/0/action") == "stat"
    # Touched in the last two seconds; or in none of the last fifteen times two.
    assert files.read(f"{at}/schemes/0/access_pattern/nr_accesses/min") == "1"
    assert files.read(f"{at}/schemes/1/access_pattern/nr_accesses/max") == "0"
    assert files.read(f"{at}/schemes/1/access_pattern/age/max") == "15"
    assert played.written[-1] == (f"{ADMIN}/0/state", "on")
    assert damon.touched_bytes(PID) == 3 * MIB


def test_its_cost_is_its_threads(files: Files) -> None:
    damon, _ = opened(files)
    damon.watch(PID)
    assert damon.cpu_s(PID) is None
    files.make(f"{ADMIN}/0/pid", "88\n")
    files.make("/proc/88/stat", "88 (kdamond.0) S 2 0 0 0 -1 0 0 0 0 0 250 50 0 0 25 5 1 0\n")
    assert damon.cpu_s(PID) == pytest.approx(3.0)


def test_it_leaves_the_interface_as_it_was(files: Files) -> None:
    damon, played = opened(files)
    damon.watch(PID)
    damon.close()
    assert (f"{ADMIN}/0/state", "off") in played.written
    assert files.read(f"{ADMIN}/nr_kdamonds") == "0"
    assert not files.path(MARK).exists()


def test_a_slot_that_is_free_again_is_used_again(files: Files) -> None:
    damon, _ = opened(files)
    assert all(damon.watch(pid) for pid in range(1, SLOTS + 1))
    assert not damon.watch(PID)
    damon.forget(7)
    assert damon.watch(PID)


def test_what_a_killed_daemon_left_running_is_ended_by_the_next(files: Files) -> None:
    before, _ = opened(files)
    before.watch(PID)
    assert probe_damon(files.root).is_usable
    _, played = opened(files)
    assert (f"{ADMIN}/0/state", "off") in played.written
    assert (f"{ADMIN}/nr_kdamonds", "0") in played.written


def test_after_a_reboot_a_mark_says_nothing(files: Files) -> None:
    opened(files)
    files.make("/proc/sys/kernel/random/boot_id", "boot-2\n")
    assert "somebody else" in probe_damon(files.root).why


def test_somebody_elses_monitors_are_left_alone(files: Files) -> None:
    files.make(f"{ADMIN}/nr_kdamonds", "1\n")
    with pytest.raises(TechniqueError, match="in use by somebody else: 1 monitors"):
        opened(files)
    assert files.read(f"{ADMIN}/nr_kdamonds") == "1"


@pytest.mark.parametrize(
    ("operations", "sums_up", "why"),
    [("paddr", True, "cannot watch a process"), ("vaddr", False, "from 6.6")],
)
def test_a_kernel_whose_damon_does_not_serve_has_it_back(
    files: Files, operations: str, sums_up: bool, why: str
) -> None:
    files.operations, files.sums_up = operations, sums_up
    with pytest.raises(TechniqueError, match=why):
        opened(files)
    assert files.read(f"{ADMIN}/nr_kdamonds") == "0"
    assert not files.path(MARK).exists()


def test_without_it_that_is_said(tmp_path: Path) -> None:
    assert "CONFIG_DAMON_SYSFS" in probe_damon(tmp_path).why
