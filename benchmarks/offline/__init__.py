"""Measurements of training and preparation."""
