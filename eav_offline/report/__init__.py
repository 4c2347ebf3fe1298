"""What training runs have shown, on one self-contained page and in tables beside it."""

from eav_offline.report.page import Written, write_report

__all__ = ["Written", "write_report"]
