"""What the daemon says while it runs: fixed event names, listed in docs/logs.md.

A terminal gets coloured lines, journald a message and fields; anything else gets one JSON object a
line, ready for a log store.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

import structlog

from aerostat.daemon.journald import SOCKET, journal_behind
from aerostat.daemon.log_writer import LogWriter


@contextmanager
def logs_on(
    out: TextIO = sys.stderr,
    *,
    environment: Mapping[str, str] = os.environ,
    journal_socket: Path = SOCKET,
) -> Iterator[None]:
    """Log to a file for the length of a block: once, around all of a process's work."""
    journal = journal_behind(out, environment, journal_socket)
    send = None if journal is None else journal.send
    with nullcontext() if journal is None else closing(journal), LogWriter(out, send) as writer:
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
        if writer.isatty():
            renderer = structlog.dev.ConsoleRenderer()
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                renderer,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            # It writes a whole line at once; more of a file than that it does not need.
            logger_factory=structlog.WriteLoggerFactory(file=writer),  # type: ignore[arg-type]
        )
        yield
