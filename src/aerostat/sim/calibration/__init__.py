"""Constants fitted to real guests, one file an accelerator: ``lab calibrate`` writes it."""

from aerostat.sim.calibration.constants_file import (
    FITTED,
    UNCALIBRATED,
    CalibrationError,
    Constants,
    calibrated_for,
    read_constants,
    write_constants,
)

__all__ = [
    "FITTED",
    "UNCALIBRATED",
    "CalibrationError",
    "Constants",
    "calibrated_for",
    "read_constants",
    "write_constants",
]
