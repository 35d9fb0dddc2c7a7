"""What the daemon says while it runs: fixed event names, listed in docs/logs.md.

A terminal gets coloured lines; anything else gets one JSON object a line, ready for a log store.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import structlog

from aerostat.daemon.log_writer import LogWriter


@contextmanager
def logs_on(out: TextIO = sys.stderr) -> Iterator[None]:
    """Log to a file for the length of a block: once, around all of a process's work."""
    with LogWriter(out) as writer:
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
            logger_factory=structlog.PrintLoggerFactory(file=writer),  # type: ignore[arg-type] # it needs no more of a file than this
        )
        yield
