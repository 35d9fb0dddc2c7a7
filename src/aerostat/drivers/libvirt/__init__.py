"""Domains of a libvirt on this host: QEMU/KVM, by ``libvirt-python`` (extra ``[libvirt]``)."""

from aerostat.drivers.libvirt.driver import LibvirtDriver
from aerostat.drivers.libvirt.settings import LibvirtSettings

__all__ = ["LibvirtDriver", "LibvirtSettings"]
