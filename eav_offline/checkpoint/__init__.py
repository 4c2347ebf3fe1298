"""Checkpoints: their file, their card, and how they are passed on."""
