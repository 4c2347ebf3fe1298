"""Hours of faults against the running program."""
