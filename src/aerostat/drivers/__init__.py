"""Drivers: each speaks to one kind of hypervisor and hides its units and its meaning of target."""
