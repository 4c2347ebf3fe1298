"""The EAV dataset on disk."""
