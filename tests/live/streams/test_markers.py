"""The stream of markers that a session follows."""

import pylsl
import pytest
from source_helpers import wait_for

from eav_live.streams.markers import ReplayTruth


@pytest.mark.lsl
def test_markers_of_a_named_stream_are_followed_without_eeg_and_their_loss_is_known(
    stream_name: str,
) -> None:
    info = pylsl.StreamInfo(stream_name, "Markers", 1, 0, "string", stream_name)
    outlet = pylsl.StreamOutlet(info)
    heard: list[str] = []
    markers = ReplayTruth(lambda: None, named=stream_name)
    markers.listen(lambda arrival: heard.append(arrival.values[0, 0]))
    assert not markers.connected
    markers.start()
    try:
        wait_for(lambda: markers.connected)
        outlet.push_sample(["baseline"])
        wait_for(lambda: heard == ["baseline"])
        del outlet
        wait_for(lambda: not markers.connected)
    finally:
        markers.stop()
