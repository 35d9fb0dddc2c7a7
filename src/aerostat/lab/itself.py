"""This very program once more, wherever it came from: a checkout, pipx, or the Debian package."""

import sys

_CODE = "import sys; sys.path[:] = {path!r}; from aerostat.cli.main import main; main()"


def itself(*arguments: str) -> tuple[str, ...]:
    """The command that runs the ``aerostat`` of this process with other arguments.

    ``-m aerostat`` would find another one, or none: the package lies where only its own command
    looks. So the new process is told where this one found its modules.
    """
    return (sys.executable, "-I", "-c", _CODE.format(path=sys.path), *arguments)
