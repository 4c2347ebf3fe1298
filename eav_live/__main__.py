"""`python -m eav_live`: the program `eav-live`."""

from eav_live.cli import main

main()
