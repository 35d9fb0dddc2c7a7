"""The daemon: the one place that wires configuration, driver, sensor and loop together."""
