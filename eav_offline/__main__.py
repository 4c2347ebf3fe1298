"""`python -m eav_offline`: the same as `eav-offline`."""

import sys

from eav_offline.cli import main

sys.exit(main())
