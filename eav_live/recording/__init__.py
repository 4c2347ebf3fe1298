"""A session on disk: what came in, what went out, and the consent it was made with."""
