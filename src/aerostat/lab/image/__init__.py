"""The guest's kernel and initramfs, built from the distribution's packages and cached."""

from aerostat.lab.image.build import GuestImage, build_image
from aerostat.lab.image.cache import cache_directory
from aerostat.lab.image.errors import ImageError

__all__ = ["GuestImage", "ImageError", "build_image", "cache_directory"]
