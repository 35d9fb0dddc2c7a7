"""The doctor and real QEMU processes: one of each cause that can be made without a guest system."""

import asyncio
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from aerostat.cli.main import app
from aerostat.doctor.examine import examine
from aerostat.doctor.finding import Verdict
from aerostat.doctor.vm_verdict import VmReport
from qemu_process import Fleet, fleet_in

pytestmark = pytest.mark.slow

SCHEMA = json.loads(resources.files("aerostat.api").joinpath("doctor.schema.json").read_text())


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with fleet_in(tmp_path) as started:
        yield started


def report_of(name: str) -> VmReport:
    (report,) = asyncio.run(examine(only=name)).vms
    return report


def said(report: VmReport, check: str) -> str:
    return next(f.says for f in report.findings if f.check == check)


def test_a_vm_without_a_balloon(fleet: Fleet) -> None:
    fleet.start("doctor-bare", balloon=False)
    report = report_of("doctor-bare")
    assert report.verdict is Verdict.MONITOR_ONLY
    assert said(report, "balloon") == "it has no balloon device"


def test_a_vm_whose_guest_has_no_driver(fleet: Fleet) -> None:
    fleet.start("doctor-mute")  # its BIOS runs, and no system with a driver
    report = report_of("doctor-mute")
    assert report.verdict is Verdict.MONITOR_ONLY
    assert "never reported" in said(report, "driver")
    assert report.facts.deflates_on_oom is False


def test_a_vm_with_locked_memory(fleet: Fleet) -> None:
    fleet.start("doctor-locked", "-overcommit", "mem-lock=on")
    assert "locked" in said(report_of("doctor-locked"), "locked")


def test_a_port_for_the_agent_is_found_and_judged_by_where_it_leads(fleet: Fleet) -> None:
    for name, path in (("doctor-near", "doctor-near"), ("doctor-far", "elsewhere")):
        socket = fleet.directory / f"{path}.agent"
        fleet.start(
            name,
            *("-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=a,path={socket},server=on,wait=off"),
            *("-device", "virtserialport,chardev=a,name=org.aerostat.agent.0"),
        )
    assert "nobody opened it" in said(report_of("doctor-near"), "agent")
    far = said(report_of("doctor-far"), "agent")
    assert "elsewhere.agent" in far
    assert str(fleet.directory / "doctor-far.agent") in far


def test_a_monitor_that_somebody_holds_is_named_and_the_rest_is_told(fleet: Fleet) -> None:
    vm = fleet.start("doctor-held")

    async def hold_and_look() -> VmReport:
        reader, writer = await asyncio.open_unix_connection(str(vm.socket))
        await reader.readline()
        try:
            (report,) = (await examine(only="doctor-held")).vms
            return report
        finally:
            writer.close()

    report = asyncio.run(hold_and_look())
    assert "another client holds" in said(report, "monitor")
    assert report.facts.has_balloon, "its command line says so"


def test_a_frozen_vm_delays_nobody_for_ever(fleet: Fleet) -> None:
    vm = fleet.start("doctor-frozen")
    vm.freeze()
    try:
        assert "no greeting" in said(report_of("doctor-frozen"), "monitor")
    finally:
        vm.thaw()


def test_it_changes_nothing(fleet: Fleet) -> None:
    fleet.start("doctor-twice")
    first, second = report_of("doctor-twice"), report_of("doctor-twice")
    assert first.findings == second.findings
    assert first.facts.monitor is not None
    assert first.facts.monitor.balloon is not None
    assert first.facts.monitor.balloon.statistics_period_s == 0, "not even the reports"


def test_the_verb_prints_a_table_json_and_a_status_for_scripts(fleet: Fleet) -> None:
    fleet.start("doctor-cli", balloon=False)
    runner = CliRunner()
    table = runner.invoke(app, ["doctor", "doctor-cli"])
    assert table.exit_code == 1
    assert "doctor-cli (qemu, process" in table.output
    assert "monitor only" in table.output
    assert "-> start it with -device" in table.output
    # A path that is to be copied is not broken: then it has a line of its own.
    assert all(len(line) <= 80 or len(line.split()) == 1 for line in table.output.splitlines())
    document = json.loads(runner.invoke(app, ["doctor", "doctor-cli", "-o", "json"]).output)
    jsonschema.validate(document, SCHEMA)
    assert document["vms"][0]["verdict"] == "monitor only"


def test_a_vm_that_is_not_there_is_a_clear_error() -> None:
    done = CliRunner().invoke(app, ["doctor", "no-such-vm"])
    assert done.exception is not None
    assert "no-such-vm" in str(done.exception)
