"""What is told of a host and its VMs, live or from the store: one wording for all faces."""
