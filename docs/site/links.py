"""A hook of the site: files of the repository that pages link to come along, as plain text.

Pages are written for the repository, where ``../scenarios/r01.toml`` is a file. On the site it is
``files/scenarios/r01.toml.txt``, which every browser shows. A link to what is not there is a
warning, and so ends a strict build.
"""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

LOG = logging.getLogger("mkdocs.hooks.links")
FETCHED = re.compile(r"""<script src=["']?https://unpkg.com/iframe-worker/shim["']?></script>""")
LINK = re.compile(r"\]\((\.\./[^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Bring along what pages name outside of docs, and list the decisions."""
    pages = Path(config["docs_dir"])
    files.append(File.generated(config, "design/index.md", content=_decisions(pages / "design")))
    found: set[str] = set()
    for page in files.documentation_pages():
        for link, _ in LINK.findall(page.content_string):
            if (target := _outside(page.src_uri, link)) is not None:
                found.add(target)
    for target in sorted(found):
        source = pages.parent / target
        if source.is_file():
            text = source.read_text("utf-8")
            files.append(File.generated(config, _place(target), content=text))
    return files


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """Let links to such files lead to where they are on the site."""

    def replaced(match: re.Match[str]) -> str:
        target = _outside(page.file.src_uri, match[1])
        if target is None:
            return match[0]
        if files.get_file_from_path(_place(target)) is None:
            LOG.warning("%s links to %s, which is not there", page.file.src_uri, match[1])
            return match[0]
        start = posixpath.dirname(page.file.src_uri)
        return f"]({posixpath.relpath(_place(target), start)})"

    return LINK.sub(replaced, markdown)


def _outside(page: str, link: str) -> str | None:
    """A path in the repository, where a link of a page leads out of docs; else None."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    return None if path.startswith("docs/") else path


def _place(target: str) -> str:
    return f"files/{target}.txt"


def _decisions(folder: Path) -> str:
    rows = []
    for page in sorted(folder.glob("[0-9]*.md")):
        title = page.read_text("utf-8").splitlines()[0].removeprefix("# ")
        words = title.removeprefix(f"{page.name[:4]}: ")
        link = f"[{words[:1].upper()}{words[1:]}]({page.name})"
        rows.append(f"| {page.name[:4]} | {link} |")
    head = (
        "# Decisions\n\nWhat costs something has a page: the problem, what else was thought of,"
        " why it is so, and what would change it.\n\n|  | decision |\n|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """The page for what is not found is none of ours: it does without search."""
    return FETCHED.sub("", output_content) if template_name.endswith(".html") else output_content


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Search of pages in a folder takes a helper; the theme would fetch one, ours comes along."""
    ours = posixpath.relpath("assets/worker.js", posixpath.dirname(page.file.dest_uri) or ".")
    return FETCHED.sub(f'<script src="{ours}"></script>', output)
