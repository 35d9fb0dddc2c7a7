"""``aerostat(1)``, written from the parser: ``python -m aerostat.cli.pages.man > aerostat.1``."""

import sys
from collections.abc import Iterable

from aerostat import __version__
from aerostat.cli.pages.parser import (
    STATUSES,
    VARIABLES,
    Entry,
    Verb,
    root_options,
    verbs,
)

_DESCRIPTION = """
Aerostat watches a host and its virtual machines, works out how much memory each really needs, and
moves the balloons while they run. A guest in distress gets its memory at once; nothing is taken on
figures that are absent or stale; every decision has a reason.

The daemon (aerostat run) starts in mode observe, in which nothing in any VM is changed. Sizes take
a unit (512MiB, 2GiB; units are binary) or a percentage, durations likewise (500ms, 10s, 1h).
"""
_FILES = (
    ("/etc/aerostat/aerostat.toml", "the configuration of the service, with every key in it"),
    ("/etc/aerostat/conf.d/*.toml", "read after it, in the order of their names"),
    ("/var/lib/aerostat/aerostat.db", "what the daemon remembers"),
    ("/run/aerostat/api.sock", "where the running daemon answers"),
)


def man_page() -> str:
    """The whole page, as man(7) macros."""
    lines = [
        f'.TH AEROSTAT 1 "" "aerostat {__version__}" "Aerostat"',
        ".nh",
        ".ad l",
        ".SH NAME",
        r"aerostat \- balances the memory of a virtual\-machine host, and says why",
        ".SH SYNOPSIS",
        ".B aerostat",
        _words("[OPTIONS] VERB [ARGS]..."),
        ".SH DESCRIPTION",
    ]
    for paragraph in _DESCRIPTION.strip().split("\n\n"):
        lines += [".PP", _words(" ".join(paragraph.split()))]
    lines += [".SH OPTIONS", *_entries(root_options())]
    lines.append(".SH VERBS")
    for verb in verbs():
        lines += _verb(verb)
    lines += [".SH EXIT STATUS"]
    lines += _definitions((str(number), words) for number, words in STATUSES)
    lines += [".SH ENVIRONMENT", *_definitions(VARIABLES)]
    lines += [".SH FILES", *_definitions(_FILES)]
    lines += [".SH SEE ALSO", ".BR systemctl (1),", ".BR virsh (1)"]
    return "\n".join(lines) + "\n"


def _verb(verb: Verb) -> list[str]:
    return [
        f'.SS "{_words(verb.path)}"',
        f".B {_words(verb.usage)}",
        ".PP",
        _words(verb.words),
        *_entries(verb.arguments),
        *_entries(verb.options),
    ]


def _entries(entries: Iterable[Entry]) -> list[str]:
    return _definitions((entry.written, entry.words) for entry in entries)


def _definitions(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, words in pairs for line in (".TP", f".B {_words(name)}", _words(words))]


def _words(text: str) -> str:
    r"""Text as roff takes it: ``\`` and ``-`` are escaped, and no line begins with a macro."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("|", r"|\:")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(man_page())
