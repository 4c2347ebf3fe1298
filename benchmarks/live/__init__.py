"""Measurements of the live program."""
