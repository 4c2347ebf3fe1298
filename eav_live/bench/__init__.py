"""Benches of a live session: every figure that docs/ quotes has its command here."""
