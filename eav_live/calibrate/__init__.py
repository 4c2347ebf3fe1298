"""Guided calibration: clips that a person speaks, a model fitted to them, an answer."""

CLIPS = (20, 50, 100)  # of 12 s each; the first is the standard, four minutes
