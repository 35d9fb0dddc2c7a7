"""Chaos: seeded worlds in which everything goes wrong, and what must hold all the same."""
