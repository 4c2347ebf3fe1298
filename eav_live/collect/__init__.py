"""Collecting one's own data: scripts of cued trials, their course, their markers."""
