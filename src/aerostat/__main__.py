"""Runs the command line as ``python -m aerostat``."""

from aerostat.cli.main import main

if __name__ == "__main__":
    main()
