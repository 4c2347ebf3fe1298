"""Whether the model keeps up with the hop, and how the work is spread over threads."""

import ctypes
import logging
import os
import sys
import threading
from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from eav_offline.checkpoint.file import Checkpoint

log = logging.getLogger(__name__)
_REMEMBERED = 5  # windows: one slow one is no trend
# Of a thread (see nice(2)): the window is painted and the microphone emptied first.
MODEL_NICENESS = 5
LARGE_MODEL = 20_000_000  # parameters; the compact size has under a million
# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAPPED_BYTES = 768 * 1024  # a picture of 640 x 480 is larger
_TRIMMED_BYTES = 64 * 1024 * 1024


class Pace:
    """Follows how long windows take. hop: seconds asked for."""

    def __init__(self, hop: float) -> None:
        self.hop = hop
        self.behind = False
        self._busy: deque[float] = deque(maxlen=_REMEMBERED)

    def note(self, busy_s: float) -> bool:
        """A window took `busy_s` seconds, all its work together.

        Returns whether windows take longer than the hop, and says so when it begins
        and when it ends.
        """
        self._busy.append(busy_s)
        if len(self._busy) < _REMEMBERED:
            return self.behind
        usual = median(self._busy)
        # Apart, so that a model that just keeps up is not told of at every window.
        if not self.behind and usual > self.hop:
            self.behind = True
            log.warning(
                "A window takes %.2f s, more than the hop of %g s: the hop is "
                "stretched to that, and only the newest window is recognized. Give a "
                "longer --hop, another --backend or a smaller model",
                usual,
                self.hop,
            )
        elif self.behind and usual < 0.9 * self.hop:
            self.behind = False
            log.info("Windows are recognized every %g s again", self.hop)
        return self.behind


def yield_to_others(niceness: int) -> None:
    """Lower the priority of the calling thread and of those it will start.

    Linux only, where priorities belong to threads; elsewhere nothing happens.
    """
    if sys.platform.startswith("linux"):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
        except OSError as error:  # not even this is allowed: it goes on as it is
            log.debug("The thread's priority cannot be lowered: %s", error)


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


def share_cores(checkpoint: "Checkpoint | None" = None) -> None:
    """Leave half of the cores: models, face tracker and window run side by side.

    A large model gets them all: its threads yield to the others (`yield_to_others`),
    and every core is wanted to keep up with the hop.
    """
    import torch  # which a session's streams do not wait for

    n_cores = os.cpu_count() or 2
    size = 0
    if checkpoint is not None:
        size = sum(parameter.numel() for parameter in checkpoint.model.parameters())
    torch.set_num_threads(n_cores if size > LARGE_MODEL else max(1, n_cores // 2))
    single_blas_thread()


def single_blas_thread() -> None:
    """Have NumPy and SciPy multiply on the thread that asks.

    What is multiplied in a hop is small, and waiting for a second thread, which another
    one keeps off the core, took twenty milliseconds now and then.
    """
    threadpool_limits(1, user_api="blas")
