"""Reads the host: its own memory and pressure, and what one process really holds of it."""
