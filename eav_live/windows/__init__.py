"""The rings of newest samples, windows cut from them, and how good they are."""
