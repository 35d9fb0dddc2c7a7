"""A stand-in for Cloud Hypervisor: simulated guests behind its HTTP API."""

from aerostat.sim.cloud_hypervisor.machines import CloudHypervisors

__all__ = ["CloudHypervisors"]
