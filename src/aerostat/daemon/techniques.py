"""The host's own techniques for the daemon's life: put back at the end, and after a crash."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from aerostat.config import Config
from aerostat.host.techniques.kernel import Kernel
from aerostat.host.techniques.managed import ManagedTechniques, put_back_all
from aerostat.host.techniques.technique import TechniqueError
from aerostat.host.techniques.undo_log import UndoLog
from aerostat.model.modes import Mode
from aerostat.places import UNDO_NAME, undo_path


@contextmanager
def techniques_of(config: Config) -> Iterator[ManagedTechniques | None]:
    """What the ladder may use beyond balloons; None: nothing was declared, or nothing is done.

    What a daemon that was killed left behind is put back in any case.
    """
    path = _undo_path(config)
    wants = config.mode is Mode.ENFORCE and config.engine_params().ladder.acts_on_host
    if not wants and not path.exists():
        yield None
        return
    kernel = Kernel()
    with ExitStack() as stack:
        try:
            undo_log = UndoLog(path, kernel)
            stack.enter_context(undo_log.held())
        except (TechniqueError, OSError) as error:
            # Balloons work without; a daemon that does not start helps nobody.
            structlog.get_logger().error("techniques_unavailable", detail=str(error))
            yield None
            return
        _put_back(undo_log, kernel)
        try:
            settings = config.technique_settings()
            yield ManagedTechniques(kernel, undo_log, settings) if wants else None
        finally:
            _put_back(undo_log, kernel)


def _put_back(undo_log: UndoLog, kernel: Kernel) -> None:
    pending = len(undo_log.pending())
    if not pending:
        return
    remarks = put_back_all(kernel, undo_log)
    left = len(undo_log.pending())
    log = structlog.get_logger()
    log.info("techniques_put_back", changes=pending - left, remarks=remarks)
    if left:
        log.warning("techniques_left", changes=left)


def _undo_path(config: Config) -> Path:
    store = config.store_path
    return undo_path() if store is None else store.with_name(UNDO_NAME)
