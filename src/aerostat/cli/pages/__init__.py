"""Pages about the command line, written from its own parser: docs/cli.md and the man page."""
