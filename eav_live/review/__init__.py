"""A recorded session looked at again: any moment of it, notes beside it, one page."""
