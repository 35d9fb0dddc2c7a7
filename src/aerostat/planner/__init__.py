"""The planner: from what VMs used to how many of them fit on a host, and at what risk."""
