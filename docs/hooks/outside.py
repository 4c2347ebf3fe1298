"""Links to files outside docs/: the site gets a copy of each such file.

Pages link to `../configs/paper.toml` as they lie in the repository, so that they can be
read there too. Copies that are pages themselves stand in mkdocs.yml's nav.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

COPIES = "repository"  # the folder of the site that holds them
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")


def add_copies(files: Files, config: MkDocsConfig) -> None:
    """Add every file outside docs/ that some page links to."""
    repository = Path(config.docs_dir).parent
    pages = list(files.documentation_pages())
    while pages:
        page = pages.pop()
        for link in _LINK.findall(page.content_string):
            path = _in_repository(page.src_uri, link)
            copy = f"{COPIES}/{path}"
            if path.startswith("docs/") or files.get_file_from_path(copy):
                continue
            if (repository / path).is_file():  # else mkdocs says what is missing
                source = str(repository / path)
                file = File.generated(config, copy, abs_src_path=source)
                files.append(file)
                pages += [file] if file.is_documentation_page() else []


def with_copies(markdown: str, page: str) -> str:
    """The page's text with links to the copies. page: its path in the site."""

    def replace(found: re.Match[str]) -> str:
        path = _in_repository(page, found[1])
        inside = path.startswith("docs/")
        here = path.removeprefix("docs/") if inside else f"{COPIES}/{path}"
        return posixpath.relpath(here, posixpath.dirname(page) or ".")

    return _LINK.sub(replace, markdown)


def _in_repository(page: str, link: str) -> str:
    """The path in the repository that a page's link leads to."""
    copied = page.startswith(f"{COPIES}/")
    source = page.removeprefix(f"{COPIES}/") if copied else f"docs/{page}"
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
