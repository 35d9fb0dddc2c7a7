"""Why an image could not be built."""

from aerostat.ports.errors import AerostatError


class ImageError(AerostatError):
    """The guest image could not be built; the message says what is missing and what to run."""
