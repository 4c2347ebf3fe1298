"""The models that come with the program; whatever else is in assets/ is found alike."""

from eav_offline.common.files import asset

__all__ = ["DEMO_MODEL", "PEOPLE_MODEL", "asset"]

# What recognizes, where no other model is named.
PEOPLE_MODEL, DEMO_MODEL = "people.safetensors", "demo.safetensors"
