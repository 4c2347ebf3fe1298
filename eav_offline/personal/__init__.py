"""A model for one more person: adaptation without labels, calibration with a few."""
