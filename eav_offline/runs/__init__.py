"""Studies of many runs, averages, and those who work on them."""
