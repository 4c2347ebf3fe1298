"""From options to a running session: its streams, and what it says of them."""
