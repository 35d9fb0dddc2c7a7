"""Run the daemon: wire it up, follow signals, stop cleanly."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from aerostat.config import Config, store_path_to_write
from aerostat.control.loop import Loop
from aerostat.daemon.journal import LogJournal
from aerostat.daemon.journals import Journals
from aerostat.daemon.status_log import StatusLog
from aerostat.daemon.store_journal import StoreJournal
from aerostat.daemon.techniques import techniques_of
from aerostat.drivers.qmp import QmpDriver, QmpSettings
from aerostat.host.clock import SystemClock
from aerostat.host.footprint import FootprintReader
from aerostat.host.sensor import ProcHostSensor
from aerostat.model.modes import Mode
from aerostat.ports.journal import Journal
from aerostat.ports.techniques import HostTechniques
from aerostat.store import Store


def run_daemon(config: Config) -> None:
    """Balance this host until SIGTERM or SIGINT.

    Raises:
        ConfigError: no guests are named.
        SensorError: this host cannot be read at all.
    """
    config.require_guests()
    sensor = ProcHostSensor()
    sensor.read()  # a host that cannot be read is told now, not by a daemon that does nothing
    with _journals(config) as journal, techniques_of(config) as techniques:
        rounds = asyncio.run(_serve(config, sensor, journal, techniques))
    structlog.get_logger().info("stopped", rounds=rounds, on_stop=config.on_stop.value)


@contextmanager
def _journals(config: Config) -> Iterator[Journal]:
    """The log, and the store unless it is switched off."""
    log = LogJournal(config.mode)
    if not config.is_store_enabled:
        yield log
        return
    path = config.store_path or store_path_to_write()
    store = Store(path, retention=config.retention, configuration=config.stored_text())
    remembered = StoreJournal(store, path)
    with store:
        yield Journals((log, remembered))
    remembered.tell_the_end()


async def _serve(
    config: Config, sensor: ProcHostSensor, journal: Journal, techniques: HostTechniques | None
) -> int:
    """Balance until asked to stop; returns how many rounds it took."""
    log = structlog.get_logger()
    clock = SystemClock()
    footprints = FootprintReader(now_s=clock.now_s)
    loop = Loop(
        driver=_driver(config, clock, footprints),
        sensor=sensor,
        clock=clock,
        params=config.engine_params(),
        mode=config.mode,
        journal=journal,
        techniques=techniques,
    )
    loop.board.follow(StatusLog().show)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, loop, number)
    log.info(
        "started",
        mode=config.mode.value,
        sockets=list(config.qmp_sockets),
        on_stop=config.on_stop.value,
    )
    try:
        await loop.run(config.on_stop)
    finally:
        footprints.close()
    return loop.board.status.rounds


def _driver(config: Config, clock: SystemClock, footprints: FootprintReader) -> QmpDriver:
    # Observing changes nothing in a VM, not even how often its driver reports.
    settings = QmpSettings(arm_statistics=config.mode is not Mode.OBSERVE)
    return QmpDriver(
        config.qmp_sockets, clock=clock, settings=settings, footprint_of=footprints.read
    )


def _stop(loop: Loop, number: signal.Signals) -> None:
    structlog.get_logger().info("stopping", signal=number.name)
    loop.request_stop()
