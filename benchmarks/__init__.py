"""Measurements of the program; run with `./dev bench NAME`."""
