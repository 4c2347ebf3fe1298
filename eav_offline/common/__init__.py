"""Tools without a subject."""
