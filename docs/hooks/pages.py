"""What mkdocs calls: pages get what the program says of itself, and files they link to.

A line `<!-- generated: NAME -->` of a page is replaced; NAME is a key of `GENERATED`.
"""

import re
from collections.abc import Callable, Mapping

import models
import outside
import programs
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

GENERATED: Mapping[str, Callable[[], str]] = {
    "commands": programs.help_of_all,
    "live configuration": models.live_configuration,
    "training configuration": models.training_configuration,
    "results": models.results,
}
_MARK = re.compile(r"^<!-- generated: (.+) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Copy what pages link to outside docs/."""
    outside.add_copies(files, config)
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Put in what is generated."""
    return outside.with_copies(
        _MARK.sub(lambda found: _generated(found[1], page.file.src_uri), markdown),
        page.file.src_uri,
    )


def _generated(name: str, page: str) -> str:
    if name not in GENERATED:
        known = ", ".join(GENERATED)
        raise PluginError(f"{page}: nothing generates {name!r}; known are {known}")
    return GENERATED[name]()
