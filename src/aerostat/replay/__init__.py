"""Replay: what a daemon recorded, decided again, and what others would have decided."""
