"""pyarrow, imported when a file needs it: the daemon and synthetic fleets do without."""

from types import ModuleType

from aerostat.sim.trace.trace import TraceError


def arrow(what: str) -> ModuleType:
    """Import pyarrow with its parts for CSV, Parquet and arithmetic.

    Raises:
        TraceError: it is not installed; the message says what was to be read and how to get it.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - on purpose, see above
        import pyarrow.compute  # noqa: PLC0415
        import pyarrow.csv  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise TraceError(
            f"{what} is read with pyarrow, which is not installed: "
            "pip install '.[plan]' in a checkout"
        ) from error
    module: ModuleType = pa
    return module
