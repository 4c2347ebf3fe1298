"""Other programs start, stop, name, mark and ask: lines of text over a socket."""
