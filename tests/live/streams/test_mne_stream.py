"""A stream of mne-lsl, prepared by a script of one's own, is the EEG of a session."""

from collections.abc import Iterator

import mne
import numpy as np
import pytest
from mne_lsl.player import PlayerLSL
from mne_lsl.stream import StreamLSL
from source_helpers import RATE, pull_until

from eav_live import open_session
from eav_live.options import OptionRefused
from eav_live.recognition.assets import asset
from eav_live.recognition.predictions import StreamState
from eav_live.streams.mne_stream import MneLslEeg
from eav_offline.common.errors import SourceRefused
from eav_offline.core.window import EEG_CHANNELS
from eav_offline.data.synthetic.eeg import trial_eeg

pytestmark = [pytest.mark.lsl, pytest.mark.timeout(120)]


def plain_eeg() -> np.ndarray:
    """Electrode k of `EEG_CHANNELS` at k µV with a common 10 Hz."""
    common = 20 * np.sin(2 * np.pi * 10 * np.arange(3001) / RATE)
    return np.arange(30)[:, None] + common


def head_eeg() -> np.ndarray:
    """What electrodes of a head record, each most like its neighbors."""
    return trial_eeg(1, 1, 1, np.zeros(4, int))[:, :9999]


def recording(eeg_uv: np.ndarray) -> mne.io.BaseRaw:
    """(30, n) µV in another order than that of the models, and a trigger."""
    info = mne.create_info([*EEG_CHANNELS[::-1], "TRIG"], RATE, ["eeg"] * 30 + ["stim"])
    volts = np.vstack([eeg_uv[::-1] * 1e-6, np.ones((1, eeg_uv.shape[1]))])
    return mne.io.RawArray(volts, info, verbose="error")


@pytest.fixture
def stream(request: pytest.FixtureRequest, stream_name: str) -> Iterator[StreamLSL]:
    """A connected stream of such a recording, which repeats itself."""
    raw = recording(getattr(request, "param", plain_eeg)())
    options = {"name": stream_name, "source_id": stream_name}
    # Small chunks fall behind on a busy computer, and too few samples are left out. Of
    # a recording that ends where a chunk does, mne-lsl 1.14 sends all at once again.
    with PlayerLSL(raw, chunk_size=100, **options):
        made = StreamLSL(5, **options).connect(acquisition_delay=0.01, timeout=10)
        yield made
        if made.connected:
            made.disconnect()


def test_samples_come_in_microvolts_as_the_script_has_referenced_them(
    stream: StreamLSL,
) -> None:
    stream.set_eeg_reference("average")
    source = MneLslEeg(stream)
    pull_until(source, lambda: source.ring is not None and source.ring.filled > 1.0)
    assert source.ring is not None
    times, eeg_uv = source.ring.latest(1.0)
    expected = np.arange(30) - np.arange(30).mean()  # what is common is taken out
    np.testing.assert_allclose(eeg_uv, np.tile(expected, (len(eeg_uv), 1)), atol=1e-3)
    np.testing.assert_allclose(np.diff(times), 1 / RATE, atol=2e-4)
    assert source.health(source.clock()).state is StreamState.LIVE
    source.close()


def test_it_is_lost_while_disconnected_and_taken_up_again(stream: StreamLSL) -> None:
    source = MneLslEeg(stream)
    pull_until(source, lambda: source.meter.rate(source.clock()) is not None)
    stream.disconnect()
    assert not source.pull()
    assert source.health(source.clock()).state is StreamState.LOST
    assert "stream.connect() does it" in source.detail
    stream.connect(acquisition_delay=0.01, timeout=10)
    pull_until(source, lambda: source.returns == 1)
    source.close()
    assert stream.connected  # it is its owner's


def test_bad_channels_of_the_stream_are_computed_from_the_others(
    stream: StreamLSL,
) -> None:
    stream.info["bads"] = ["Cz"]
    source = MneLslEeg(stream)
    pull_until(source, lambda: source.ring is not None)
    assert source.interpolated == ("Cz",)
    source.close()


def test_a_stream_that_lacks_electrodes_is_refused(stream: StreamLSL) -> None:
    stream.pick(list(EEG_CHANNELS[:20]))
    with pytest.raises(SourceRefused, match="has 20 of the 30 electrodes"):
        MneLslEeg(stream).pull()


@pytest.mark.parametrize("stream", [head_eeg], indirect=True)
def test_a_session_recognizes_it(stream: StreamLSL) -> None:
    stream.filter(1.0, 40.0)
    model = asset("demo.safetensors")
    with open_session(eeg=stream, model=model, audio="none", video="none") as session:
        prediction = next(p for p in session if p.present)
    assert prediction.present == ("eeg",)
    assert prediction.by_modality["eeg"] is not None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"eeg": "BrainAmp"}, "for a name give eeg_stream"),
        ({"eeg": StreamLSL(1.0), "eeg_stream": "BrainAmp"}, "give one"),
    ],
)
def test_what_is_no_stream_or_one_too_many_is_refused(
    options: dict[str, object], said: str
) -> None:
    with pytest.raises(OptionRefused, match=said):
        open_session(**options)  # type: ignore[arg-type]
