"""Simulated guests and hosts, on virtual time, behind the same ports as real ones."""
