"""A running daemon's doctor: it knows of the VM whose only monitor connection the daemon has."""

from pathlib import Path

import httpx
import pytest

from daemon_process import Daemons
from qemu_process import Fleet

pytestmark = pytest.mark.slow


def test_the_daemon_tells_what_works_in_a_vm_whose_monitor_it_holds(
    fleet: Fleet, start: Daemons, tmp_path: Path
) -> None:
    fleet.start("db-1")
    config = tmp_path / "aerostat.toml"
    config.write_text(
        f'[qmp]\nsockets = ["{tmp_path}/*.qmp"]\n[store]\npath = "{tmp_path}/a.db"\n'
        f'[api]\nsocket = "{tmp_path}/api.sock"\n'
    )
    daemon = start("-c", str(config))
    daemon.until_said("guest_found", guest="db-1")
    transport = httpx.HTTPTransport(uds=str(tmp_path / "api.sock"))
    with httpx.Client(transport=transport, base_url="http://aerostat", timeout=60) as client:
        daemon.until(
            lambda: client.get("/v1/guests/db-1").is_success, "it has been looked at in a round"
        )
        found = client.get("/v1/doctor?fresh=true").raise_for_status().json()
        techniques = client.get("/v1/techniques").raise_for_status().json()
    (vm,) = [vm for vm in found["vms"] if vm["name"] == "db-1"]
    says = {finding["check"]: finding["says"] for finding in vm["findings"]}
    assert "daemon asks it" in says["monitor"]
    assert "agent" not in says, "whether it has a channel for one was not asked"
    assert vm["max_bytes"] == vm["actual_bytes"] > 0
    assert any(finding["check"] == "memory" for finding in found["host"])
    assert set(techniques["techniques"]) == {"swap", "zswap", "zram", "ksm"}
