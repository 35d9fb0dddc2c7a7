"""Scenarios: a host, its guests, what happens to them and what must hold, read from a file."""
