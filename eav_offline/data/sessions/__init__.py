"""Recorded sessions, read and imported."""
