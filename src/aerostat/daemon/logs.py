"""What the daemon says while it runs: fixed event names, on standard error.

A terminal gets coloured lines; anything else gets one JSON object a line, ready for a log store.
"""

import logging
import sys
from typing import TextIO

import structlog


def configure_logs(stream: TextIO | None = None) -> None:
    """Set up logging once, at the start of a process."""
    out = sys.stderr if stream is None else stream
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if out.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=out),
    )
