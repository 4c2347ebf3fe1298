"""Runs on disk, studies of many runs, and those who work on them."""
