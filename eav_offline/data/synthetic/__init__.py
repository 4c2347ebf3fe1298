"""People that do not exist."""

# Raised whenever the same seed would give other files: caches carry it in their names.
GENERATOR_VERSION = 2
