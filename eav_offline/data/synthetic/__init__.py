"""People that do not exist."""
