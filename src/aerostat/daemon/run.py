"""Run the daemon: wire it up, follow signals, stop cleanly."""

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog

from aerostat.config import Config
from aerostat.control.loop import Loop
from aerostat.daemon.drivers import drivers_of
from aerostat.daemon.faces import Examine, faces
from aerostat.daemon.journal import LogJournal
from aerostat.daemon.journals import Journals
from aerostat.daemon.notify import Notifier
from aerostat.daemon.orders_file import OrdersFile
from aerostat.daemon.reload import Reloader
from aerostat.daemon.status_log import StatusLog
from aerostat.daemon.store_journal import StoreJournal
from aerostat.daemon.techniques import techniques_of
from aerostat.host.clock import SystemClock
from aerostat.host.footprint import FootprintReader
from aerostat.host.sensor import ProcHostSensor
from aerostat.places import store_path_to_write
from aerostat.ports.journal import Journal
from aerostat.ports.techniques import HostTechniques
from aerostat.store import Store, sole_writer

ORDERS_NAME = "orders.json"
"""Beside the store: what operators ordered."""
GARBAGE_AFTER = 20_000
"""So many more objects than before, and Python looks for those that only hold each other."""


@dataclass(frozen=True, kw_only=True)
class _Wired:
    """What a daemon is made of before it runs."""

    config: Config
    read_again: Callable[[], Config]
    sensor: ProcHostSensor
    log: LogJournal
    store: Store | None
    journal: Journal  # both
    techniques: HostTechniques | None
    examine: Examine | None  # the doctor, for the API


def run_daemon(
    config: Config,
    read_again: Callable[[], Config] | None = None,
    examine: Examine | None = None,
) -> None:
    """Balance this host until SIGTERM or SIGINT.

    Args:
        config: what is declared.
        read_again: reads it again, on SIGHUP; None: it stays as it is.
        examine: the doctor, for whoever asks the API for it; None: it has none.

    Raises:
        ConfigError: no guests are named.
        SensorError: this host cannot be read at all.
    """
    config.require_guests()
    sensor = ProcHostSensor()
    sensor.read()  # a host that cannot be read is told now, not by a daemon that does nothing
    with _journals(config) as (log, store, journal), techniques_of(config) as techniques:
        wired = _Wired(
            config=config,
            read_again=read_again or (lambda: config),
            sensor=sensor,
            log=log,
            store=store,
            journal=journal,
            techniques=techniques,
            examine=examine,
        )
        rounds = asyncio.run(_serve(wired))
    structlog.get_logger().info("stopped", rounds=rounds, on_stop=config.on_stop.value)


@contextmanager
def _journals(config: Config) -> Iterator[tuple[LogJournal, Store | None, Journal]]:
    """The log, and the store unless it is switched off."""
    log = LogJournal(config.mode)
    if not config.is_store_enabled:
        yield log, None, log
        return
    path = config.store_path or store_path_to_write()
    store = Store(path, retention=config.retention, configuration=config.stored_text())
    remembered = StoreJournal(store, path)
    with sole_writer(path), store:
        yield log, store, Journals((log, remembered))
    remembered.tell_the_end()


async def _serve(wired: _Wired) -> int:
    """Balance until asked to stop; returns how many rounds it took."""
    config, clock = wired.config, SystemClock()
    footprints = FootprintReader(now_s=clock.now_s, touched_period_s=config.touched_period_s)
    loop = Loop(
        driver=drivers_of(config, clock, footprints),
        sensor=wired.sensor,
        clock=clock,
        params=config.engine_params(),
        mode=config.mode,
        journal=wired.journal,
        techniques=wired.techniques,
    )
    loop.board.follow(StatusLog().show)
    reloader = Reloader(config, wired.read_again, lambda new: _use(new, loop, wired))
    with ExitStack() as stack:
        stack.callback(footprints.close)
        _remember_orders(stack, config, clock, loop)
        notifier = Notifier()
        stack.callback(notifier.close)
        loop.board.follow(notifier.follow)
        _follow_signals(loop, reloader, notifier)
        structlog.get_logger().info(
            "started",
            mode=config.mode.value,
            sockets=list(config.sockets),
            libvirt=config.libvirt_uri,
            on_stop=config.on_stop.value,
        )
        stack.enter_context(faces(loop, reloader, clock, wired.store, wired.examine))
        _leave_the_start_alone()
        await loop.run(config.on_stop)
    return loop.board.status.rounds


def _leave_the_start_alone() -> None:
    """What is there by now stays: going through it again and again would delay rounds and answers.

    What a round makes is freed as soon as the next one replaces it, without being looked for; only
    what refers to itself waits, and there is little of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 20, 10)


def _use(config: Config, loop: Loop, wired: _Wired) -> None:
    """Put another configuration into force, from the next round on."""
    wired.log.use_mode(config.mode)
    if wired.store is not None:
        wired.store.use_configuration(config.stored_text())
    loop.replace_mode(config.mode)
    loop.replace_params(config.engine_params())


def _remember_orders(stack: ExitStack, config: Config, clock: SystemClock, loop: Loop) -> None:
    """Take up what was ordered before; nothing is remembered where there is no store."""
    if not config.is_store_enabled:
        return
    store_path = config.store_path or store_path_to_write()
    file = stack.enter_context(OrdersFile(store_path.with_name(ORDERS_NAME), clock))
    loop.restore_orders(file.read())
    loop.board.follow(file.follow)
    loop.board.show()  # so that what is there already is not written again


def _follow_signals(loop: Loop, reloader: Reloader, notifier: Notifier) -> None:
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, _stop, loop, notifier, number)

    def reload() -> None:
        notifier.reloading()
        reloader.reload()
        notifier.reloaded()

    running.add_signal_handler(signal.SIGHUP, reload)


def _stop(loop: Loop, notifier: Notifier, number: signal.Signals) -> None:
    structlog.get_logger().info("stopping", signal=number.name)
    notifier.stopping()
    loop.request_stop()
