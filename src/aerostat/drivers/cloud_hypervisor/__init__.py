"""Cloud Hypervisor by its HTTP API on Unix sockets of this host."""

from aerostat.drivers.cloud_hypervisor.driver import CloudHypervisorDriver

__all__ = ["CloudHypervisorDriver"]
