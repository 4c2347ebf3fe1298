"""Time as the axes of timelines write it."""

# Seconds between two marks of an axis.
TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def clock_text(seconds: float, fine: bool = False) -> str:
    """Minutes and seconds, hours where there are any. fine: tenths of a second too."""
    tenths = round(10 * max(0.0, seconds)) if fine else 10 * int(max(0.0, seconds))
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 10:02d}" + (f".{rest % 10}" if fine else "")
    return f"{hours}:{text}" if hours else text
