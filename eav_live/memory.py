"""How the C library gives memory back during a session of hours."""

import ctypes
import sys

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAPPED_BYTES = 768 * 1024  # a picture of 640 x 480 is larger
_TRIMMED_BYTES = 64 * 1024 * 1024


def return_large_blocks() -> bool:
    """Have pictures and other large arrays given back to the system once freed.

    By itself glibc raises its limit to the largest block that was freed: pictures then
    lie in the threads' heaps between small blocks that stay, and in the first half hour
    of a session the process grows to some 300 MB more than it uses.

    Returns whether it was done: on glibc only.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return False
    return bool(
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
        and mallopt(_M_TRIM_THRESHOLD, _TRIMMED_BYTES)
    )
