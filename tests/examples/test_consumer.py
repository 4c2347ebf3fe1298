"""The page of examples/ that reads published predictions, over real LSL."""

import subprocess
import sys
import threading

import numpy as np
import pylsl
import pytest
from installing import EXAMPLES

from eav_live.outlets.publishing import Publisher
from eav_live.recognition.predictions import Prediction

READER = EXAMPLES / "consume_predictions.py"


@pytest.mark.lsl
@pytest.mark.timing
def test_the_consumer_prints_each_estimate(stream_name: str) -> None:
    publisher = Publisher(stream_name, model="ours", demo=True, hop=0.5)
    fused = np.array([0.1, 0.2, 0.3, 0.15, 0.25])
    reader = subprocess.Popen(
        [sys.executable, "-u", str(READER), stream_name],
        stdout=subprocess.PIPE,
        text=True,
    )
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.1):
            now = pylsl.local_clock()
            publisher.publish(
                Prediction(
                    now, fused, fused, {}, ("eeg",), {}, "anger", None, 0.1, 0.1, 0.5
                )
            )

    sending = threading.Thread(target=send)
    sending.start()
    try:
        assert reader.stdout is not None
        first, second = reader.stdout.readline(), reader.stdout.readline()
    finally:
        over.set()
        sending.join()
        reader.kill()
        reader.wait()
        publisher.close()
    assert first.startswith("ours: Estimates by a model of acted emotions")
    named = dict(zip(second.split()[1::2], second.split()[2::2], strict=True))
    assert list(named) == ["neutral", "sadness", "anger", "happiness", "calmness"]
    assert [float(p) for p in named.values()] == pytest.approx(fused.tolist())
