"""Frozen values that every layer speaks: snapshots, limits, plans, reasons, events, records."""
