"""The daemon as a service: what systemd hears, SIGHUP, and orders that outlive it."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from aerostat.control.board import Status
from aerostat.daemon.notify import Notifier
from daemon_process import Daemons
from qemu_process import Fleet

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "etc" / "systemd" / "aerostat.service"
RELOADED = ("reloaded", "reload_refused")


class Systemd:
    """Hears what a service tells."""

    def __init__(self, path: Path) -> None:
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        while text := self._socket.recv(4096).decode():
            self.heard += text.splitlines()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    return Systemd(tmp_path / "notify")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "aerostat.toml"
    written(path)
    return path


def written(path: Path, *, mode: str = "recommend", more: str = "") -> None:
    folder = path.parent
    path.write_text(
        f'mode = "{mode}"\n[qmp]\nsockets = ["{folder}/*.qmp"]\n'
        f'[store]\npath = "{folder}/a.db"\n[api]\nsocket = "{folder}/api.sock"\n{more}'
    )


def test_systemd_hears_of_start_rounds_reload_and_stop(
    start: Daemons, systemd: Systemd, config: Path
) -> None:
    daemon = start("-c", str(config))
    daemon.until(lambda: systemd.heard.count("WATCHDOG=1") >= 5, "the watchdog is fed")
    assert systemd.heard[0] == "READY=1"
    daemon.send(signal.SIGHUP)
    daemon.until_said("reloaded")
    daemon.until(lambda: systemd.heard.count("READY=1") == 2, "it is ready again")
    at = systemd.heard.index("RELOADING=1")
    assert systemd.heard[at + 1].startswith("MONOTONIC_USEC=")
    assert daemon.stop() == 0
    assert "STOPPING=1" in systemd.heard


def test_a_daemon_that_hangs_feeds_no_watchdog(
    start: Daemons, systemd: Systemd, config: Path
) -> None:
    daemon = start("-c", str(config))
    daemon.until(lambda: "WATCHDOG=1" in systemd.heard, "the watchdog is fed")
    daemon.send(signal.SIGSTOP)
    time.sleep(0.3)  # what had been sent arrives
    heard = len(systemd.heard)
    time.sleep(1.5)
    assert len(systemd.heard) == heard
    daemon.send(signal.SIGCONT)
    daemon.until(lambda: len(systemd.heard) > heard, "it is fed again")


def test_rounds_that_fail_feed_no_watchdog(tmp_path: Path) -> None:
    systemd = Systemd(tmp_path / "n")
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "1"})
    notifier.follow(Status(rounds=1, failure="broken"))
    notifier.follow(Status(rounds=0))
    notifier.tell("END=1")
    notifier.close()
    while "END=1" not in systemd.heard:
        time.sleep(0.01)
    assert systemd.heard == ["END=1"]


def test_sighup_takes_all_of_a_configuration(start: Daemons, config: Path) -> None:
    daemon = start("-c", str(config))
    written(config, mode="enforce", more='[host]\nreserve = "20%"\n')
    daemon.send(signal.SIGHUP)
    line = daemon.until_said("reloaded")
    assert sorted(line["changed"]) == ["host.reserve", "mode"]
    assert line["mode"] == "enforce"
    assert asked(config, "/v1/state")["mode"] == "enforce"


@pytest.mark.parametrize(
    ("mode", "more", "words"),
    [
        ("enforce", '[host]\nreserve = "oops"\n', "host.reserve"),
        ("enforce", '[guests]\nmini = "1GiB"\n', 'did you mean "min"?'),
        ("observe", "", "that takes a restart"),
        ("enforce", 'listen = "127.0.0.1:1"\ntoken_file = "/nowhere"\n', "[api] has changed"),
    ],
)
def test_or_nothing_of_it(start: Daemons, config: Path, mode: str, more: str, words: str) -> None:
    daemon = start("-c", str(config))
    before = asked(config, "/v1/config")
    written(config, mode=mode, more=more)
    daemon.send(signal.SIGHUP)
    assert words in daemon.until_said("reload_refused")["detail"]
    assert asked(config, "/v1/config") == before
    assert daemon.stop() == 0


def test_a_hold_outlives_kill_9_and_a_damaged_file_of_orders_stops_nobody(
    fleet: Fleet, start: Daemons, config: Path
) -> None:
    fleet.start("db-1")
    daemon = start("-c", str(config))
    daemon.until_said("guest_found", guest="db-1")
    with client(config) as asking:
        asking.post("/v1/guests/db-1/hold", json={"for": "1h"}).raise_for_status()
    orders = config.parent / "orders.json"
    daemon.until(lambda: orders.exists() and "held" in orders.read_text(), "it is written")
    daemon.kill()
    again = start("-c", str(config))
    again.until_said("guest_found", guest="db-1")
    again.until(lambda: "order" in asked(config, "/v1/guests/db-1"), "the hold stands")
    order = asked(config, "/v1/guests/db-1")["order"]
    assert isinstance(order, dict)
    assert order["standing"] == "held"
    assert 3000 < order["left_s"] < 3600
    again.kill()
    orders.write_text('{"schema": "aerostat.orders/1", "orders": [{"gu')
    third = start("-c", str(config))
    assert third.until_said("orders_unread")["path"] == str(orders)
    aside = Path(third.until_said("orders_moved_aside")["path"])
    assert aside.read_text().startswith('{"schema"'), "what was ordered is not lost"
    assert third.stop() == 0


@pytest.mark.parametrize(
    ("files", "keys", "words"),
    [
        ({"token": "a" * 20, "pem": "no PEM"}, 'certificate = "{0}/pem"\nkey = "{0}/pem"', "PEM"),
        ({"token": "a" * 20}, 'read_token_file = "{0}/token"', "may only read"),
        ({"token": "a" * 20 + "\n" + "b" * 20}, "", "one line"),
    ],
)
def test_what_is_wrong_with_tcp_is_told_and_the_unix_socket_served(
    start: Daemons, config: Path, files: dict[str, str], keys: str, words: str
) -> None:
    """It used to end the whole API, and only after it was said to listen."""
    folder = config.parent
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    listen = f'listen = "127.0.0.1:47123"\ntoken_file = "{folder}/token"\n'
    written(config, more=listen + keys.format(folder))
    daemon = start("-c", str(config))
    assert words in daemon.until_said("api_trouble")["detail"]
    assert daemon.until_said("api_listening")["sockets"] == [f"{folder}/api.sock"]
    assert asked(config, "/v1/host")
    assert daemon.stop() == 0


def test_a_second_daemon_on_the_same_store_does_not_start(start: Daemons, config: Path) -> None:
    first = start("-c", str(config))
    first.until_said("api_listening")
    with pytest.raises(AssertionError, match="another daemon writes to it"):
        start("-c", str(config))
    assert first.stop() == 0


def test_a_socket_that_cannot_be_made_costs_no_round(start: Daemons, config: Path) -> None:
    (config.parent / "api.sock").write_text("no socket")
    daemon = start("-c", str(config))
    assert "no socket" in daemon.until_said("api_trouble")["detail"]
    daemon.until_said("summary")
    assert daemon.stop() == 0
    assert (config.parent / "api.sock").read_text() == "no socket"


def client(config: Path) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(config.parent / "api.sock"))
    return httpx.Client(transport=transport, base_url="http://aerostat", timeout=60)


def asked(config: Path, path: str) -> dict[str, object]:
    give_up_s = time.monotonic() + 15
    while True:
        try:
            with client(config) as asking:
                answer: dict[str, object] = asking.get(path).raise_for_status().json()
                return answer
        except httpx.HTTPError:
            assert time.monotonic() < give_up_s, f"{path}: no answer"
            time.sleep(0.05)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text("utf-8").replace("/usr/bin/aerostat", "/bin/true")
    unit = tmp_path / "aerostat.service"
    unit.write_text("\n".join(x for x in text.splitlines() if not x.startswith("Documentation=")))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    complaints = [x for x in done.stderr.splitlines() if "aerostat.service" in x]
    assert complaints == [], done.stderr


def test_the_unit_says_what_was_promised() -> None:
    settings = dict(
        line.split("=", 1)
        for line in UNIT.read_text("utf-8").splitlines()
        if "=" in line and not line.startswith("#")
    )
    assert settings["Type"] == "notify"
    assert int(settings["WatchdogSec"]) >= 30
    assert settings["OOMScoreAdjust"] == "-999"
    assert settings["MemoryMax"]
    assert settings["Restart"] == "always"
