"""What was there before is on disk before it is changed, and is understood afterwards."""

import os
from pathlib import Path

import pytest

from aerostat.host.techniques.changes import Changes, undo
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import BOOT_ID, Kind, UndoLog
from host.techniques.conftest import FakeKernel, knobs

SLEEP = "/sys/kernel/mm/ksm/sleep_millisecs"


def restart(log: UndoLog, kernel: FakeKernel) -> UndoLog:
    return UndoLog(log._path, kernel)


def test_a_change_is_on_disk_before_it_is_made(
    kernel: FakeKernel, log: UndoLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(kernel, "write", lambda *_: seen.append(restart(log, kernel).pending()))
    with pytest.raises(TechniqueError, match="it reads '20'"):
        Changes("t", kernel, log).set_knob(SLEEP, "5")
    ((change,),) = seen
    assert (change.target, change.before, change.applied) == (SLEEP, "20", "5")


def test_who_comes_after_a_crash_puts_back_what_was_there(kernel: FakeKernel, log: UndoLog) -> None:
    before = knobs(kernel)
    changes = Changes("t", kernel, log)
    changes.set_knob(SLEEP, "5")
    changes.set_knob("/sys/module/zswap/parameters/enabled", "Y")
    changes.set_knob(SLEEP, "7")
    log = restart(log, kernel)  # the one before was killed
    assert log.undo(None, lambda change: undo(change, kernel)) == []
    assert knobs(kernel) == before
    assert restart(log, kernel).pending() == ()


def test_a_knob_that_is_as_wanted_is_not_touched_and_not_put_back(
    kernel: FakeKernel, log: UndoLog
) -> None:
    Changes("t", kernel, log).set_knob(SLEEP, "20")
    assert log.pending() == ()
    assert kernel.written == []


def test_a_refused_change_is_no_change(
    kernel: FakeKernel, log: UndoLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, text: str) -> None:
        raise TechniqueError(f"{name}: '{text}' was refused")

    monkeypatch.setattr(kernel, "write", refuse)
    with pytest.raises(TechniqueError, match="refused"):
        Changes("t", kernel, log).set_knob(SLEEP, "-1")
    assert log.pending() == ()


def test_what_somebody_else_has_set_since_is_left_and_told(
    kernel: FakeKernel, log: UndoLog
) -> None:
    changes = Changes("t", kernel, log)
    changes.set_knob(SLEEP, "5")
    kernel.path(SLEEP).write_text("9\n")
    (remark,) = changes.undo()
    assert "left at '9'" in remark
    assert kernel.read(SLEEP) == "9"
    assert log.pending() == ()


def test_after_a_reboot_only_files_are_undone(
    kernel: FakeKernel, log: UndoLog, tmp_path: Path
) -> None:
    changes = Changes("t", kernel, log)
    changes.set_knob(SLEEP, "5")
    changes.make_file(tmp_path / "swapfile", 4096)
    kernel.path(BOOT_ID).write_text("boot-2\n")
    log = restart(log, kernel)
    assert [change.kind for change in log.pending()] == [Kind.FILE]
    log.undo("t", lambda change: undo(change, kernel))
    assert not (tmp_path / "swapfile").exists()
    assert kernel.read(SLEEP) == "5", "as the new boot has it"


def test_a_file_that_is_there_already_is_nobody_elses_to_lose(
    kernel: FakeKernel, log: UndoLog, tmp_path: Path
) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(TechniqueError, match="exists"):
        Changes("t", kernel, log).make_file(path, 4096)
    log.undo("t", lambda change: undo(change, kernel))
    assert path.read_text() == "data"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"schema": "aerostat-undo/9", "boot_id": "boot-1", "changes": []}',
        '{"schema": "aerostat-undo/1", "boot_id": "boot-1", "changes": [{"kind": "knob"}]}',
        (
            '{"schema": "aerostat-undo/1", "boot_id": "boot-1", "changes": '
            '[{"technique": "t", "kind": "spell", "target": "/x"}]}'
        ),
        "[]",
    ],
)
def test_a_log_that_cannot_be_understood_is_kept_and_told(
    kernel: FakeKernel, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "undo.json"
    path.write_text(text)
    with pytest.raises(TechniqueError, match=r"undo\.json.*by hand"):
        UndoLog(path, kernel)
    assert path.read_text() == text


def test_two_cannot_use_it_at_once(kernel: FakeKernel, log: UndoLog) -> None:
    with (
        log.held(),
        pytest.raises(TechniqueError, match="another Aerostat"),
        restart(log, kernel).held(),
    ):
        raise AssertionError("the lock let two in")
    with log.held():
        Changes("t", kernel, log).set_knob(SLEEP, "5")


def test_two_with_logs_of_their_own_refuse_each_other_and_say_who(
    kernel: FakeKernel, log: UndoLog, tmp_path: Path
) -> None:
    other = UndoLog(tmp_path / "lab/undo.json", kernel)
    with (
        log.held(),
        pytest.raises(TechniqueError, match=rf"process {os.getpid()} \("),
        other.held(),
    ):
        raise AssertionError("the lock let two in")
    with other.held(), pytest.raises(TechniqueError, match="another Aerostat"), log.held():
        raise AssertionError("the lock let two in")


def test_without_a_place_for_the_machines_lock_the_logs_own_has_to_do(
    kernel: FakeKernel, log: UndoLog
) -> None:
    kernel.path("/run").write_text("no directory")
    with log.held(), pytest.raises(TechniqueError, match="is in use"), restart(log, kernel).held():
        raise AssertionError("the lock let two in")
