"""The daemon's HTTP API, metrics and dashboard: they show what the loop shows, and ask it.

The server has a thread of its own. It reads the status board, which is replaced as a whole and
never changed, and posts commands to the loop: neither waits for the other (docs/design/0011).
"""
