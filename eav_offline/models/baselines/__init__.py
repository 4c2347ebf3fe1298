"""Simpler models on the same splits."""
