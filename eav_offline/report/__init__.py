"""What training runs have shown, on one self-contained page and in tables beside it.

How its figures are drawn (`drawing`), and the page's head and style, serve other pages
too: those import nothing that reads runs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eav_offline.report.page import Written, write_report

__all__ = ["Written", "write_report"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from eav_offline.report import page

        return getattr(page, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
