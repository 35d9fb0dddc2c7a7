"""``docs/cli.md``, written from the parser: ``script/docs`` keeps it."""

import sys
from collections.abc import Iterable

from aerostat.cli.pages.parser import STATUSES, VARIABLES, Entry, Verb, root_options, verbs

_HEAD = """# The command line

Written by `script/docs` from the parser itself; a test compares. `aerostat VERB --help` says the
same, and so does the man page that the Debian package brings. `aerostat completion bash` (or `zsh`,
`fish`) prints completion for a shell.

Every reading verb takes `-o json`; the documents are described by [schemas](schemas.md).
"""


def cli_page() -> str:
    """The whole page."""
    parts = [_HEAD, "## Before any verb\n", _table(root_options())]
    parts += [_section(verb) for verb in verbs()]
    parts += ["## Exit status\n", _rows("status", ((str(n), words) for n, words in STATUSES))]
    parts += ["## Environment\n", _rows("variable", VARIABLES)]
    return "\n".join(parts)


def _section(verb: Verb) -> str:
    text = f"## `{verb.path}`\n\n{_escaped(verb.words)}\n\n```\n{verb.usage}\n```\n"
    entries = (*verb.arguments, *verb.options)
    return text + ("\n" + _table(entries) if entries else "")


def _table(entries: Iterable[Entry]) -> str:
    return _rows("option", ((entry.written, entry.words) for entry in entries))


def _rows(name: str, rows: Iterable[tuple[str, str]]) -> str:
    head = f"| {name} | what it says |\n|---|---|\n"
    return head + "".join(f"| `{_cell(key)}` | {_escaped(words)} |\n" for key, words in rows)


def _cell(text: str) -> str:
    # A bar ends a cell, and renderers disagree about how it is escaped in code.
    return text.replace("|", "/")


def _escaped(text: str) -> str:
    for special in ("|", "[", "]", "<", "*"):
        text = text.replace(special, f"\\{special}")
    return text


if __name__ == "__main__":
    sys.stdout.write(cli_page())
