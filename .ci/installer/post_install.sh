#!/bin/sh
# Of the installer for Linux and macOS. constructor sets PREFIX, the recipe EAV_LIVE.
set -eu
"$PREFIX/bin/python" -m pip install --quiet --no-index --find-links "$PREFIX/wheels" "$EAV_LIVE"
rm -r "$PREFIX/wheels"
"$PREFIX/bin/python" -c "from menuinst.api import install; import sys; install(sys.argv[1], target_prefix=sys.argv[2], base_prefix=sys.argv[2])" "$PREFIX/Menu/eav-live.json" "$PREFIX"
