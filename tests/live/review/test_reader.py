"""Any moment of a recording: what was recorded of it, and what happened."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded import T0, FakeSession, audio_arrival, eeg_arrival, recorder
from reviewed import (
    EEG_RATE,
    GAP,
    SECONDS,
    SOUND_RATE,
    Recorded,
    gray,
    write_recording,
)

from eav_live.recording.consent import consent_path
from eav_live.review.reader import SessionReader, find_recording, marker_text
from eav_offline.common.errors import InputRefused
from eav_offline.data.sessions.session import Marker


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return write_recording(tmp_path_factory.mktemp("review") / "s.xdf")


@pytest.fixture(scope="module")
def reader(recorded: Recorded) -> Iterator[SessionReader]:
    with SessionReader(recorded.path) as opened:
        yield opened


def random_moments(n: int = 50) -> list[float]:
    return (T0 + np.random.default_rng(7).uniform(0, SECONDS, n)).tolist()


def test_seeking_shows_the_recorded_estimate_of_that_moment(
    recorded: Recorded, reader: SessionReader
) -> None:
    shown = 0
    for t in random_moments():
        ended = [one for one in recorded.said if one.t <= t]
        found = reader.recorded.at(t)
        if not ended:
            assert found is None
            continue
        assert found is not None
        shown += 1
        assert found.t == ended[-1].t
        assert found.label == ended[-1].label
        assert found.fused is not None
        np.testing.assert_allclose(found.fused, ended[-1].fused, atol=1e-6)
    assert shown > 20


def test_an_estimate_does_not_stand_for_ever(
    recorded: Recorded, reader: SessionReader
) -> None:
    last = recorded.said[-1]
    assert reader.recorded.at(last.t + 1.9) is not None
    assert reader.recorded.at(last.t + 2.1) is None


def test_seeking_shows_the_newest_frame_whatever_was_shown_before(
    recorded: Recorded, reader: SessionReader
) -> None:
    for t in random_moments():
        number = int(np.flatnonzero(recorded.frame_times <= t)[-1])
        frame = reader.frames.at(t)
        assert frame is not None
        assert frame.image.shape == (48, 64, 3)
        assert (frame.image == gray(number)).all()
        assert frame.time == pytest.approx(recorded.frame_times[number])
        np.testing.assert_allclose(frame.box, [16, 0, 32, 24])


def test_there_is_no_frame_before_the_first_and_long_after_the_last(
    reader: SessionReader,
) -> None:
    assert reader.frames.at(T0 - 0.1) is None
    assert reader.frames.at(T0 + SECONDS + 2) is None


def test_frames_whose_file_is_gone_are_not_shown(
    recorded: Recorded, tmp_path: Path
) -> None:
    alone = tmp_path / "s.xdf"
    alone.write_bytes(recorded.path.read_bytes())
    with SessionReader(alone) as opened:
        assert opened.frames.at(T0 + 3) is None
        assert opened.recorded.at(T0 + 6) is not None


def test_of_a_file_that_was_cut_off_what_is_there_is_shown(
    recorded: Recorded, tmp_path: Path
) -> None:
    """As after kill -9: without the index that a file gets at its end."""
    for name in ("s.xdf", "s.mkv"):
        whole = recorded.path.with_name(name).read_bytes()
        cut = whole if name == "s.xdf" else whole[: round(0.6 * len(whole))]
        (tmp_path / name).write_bytes(cut)
    with SessionReader(tmp_path / "s.xdf") as opened:
        for number in (20, 3, 28, 12):
            frame = opened.frames.at(float(recorded.frame_times[number]) + 0.1)
            assert frame is not None
            assert (frame.image == gray(number)).all()
        assert opened.frames.at(T0 + 11.5) is None
        assert opened.frames.at(T0 + 1.1) is not None


def test_the_rings_hold_what_came_before_the_moment(
    recorded: Recorded, reader: SessionReader
) -> None:
    """Also after going back, and after going a little on."""
    for t in (T0 + 6.0, T0 + 3.0, T0 + 3.5, T0 + 11.0, T0 + 2.0):
        reader.show(t + 0.5 / EEG_RATE)  # between two samples
        assert reader.eeg.ring is not None
        times, values = reader.eeg.ring.latest(1.5)
        assert times[-1] == pytest.approx(t, abs=1.1 / EEG_RATE)
        stop = round((t - T0) * EEG_RATE) + 1
        came = recorded.eeg_uv[:, stop - len(times) : stop]
        np.testing.assert_allclose(values.T, came, atol=1e-3)
        assert reader.sound.ring is not None
        newest = reader.sound.ring.newest
        assert newest == pytest.approx(t + 0.5 / EEG_RATE, abs=1.1 / SOUND_RATE)


def test_a_gap_is_a_gap_in_the_ring(reader: SessionReader) -> None:
    reader.show(T0 + 9.0)
    assert reader.eeg.ring is not None
    assert reader.eeg.ring.filled == pytest.approx(1.0, abs=0.02)


def test_sound_is_in_its_place_and_silent_where_it_was_lost(
    recorded: Recorded, reader: SessionReader
) -> None:
    blocks = list(reader.sound.blocks(T0 + 6.5, T0 + 8.5, 0.3))
    assert max(map(len, blocks)) == 1200
    expected = recorded.sound[round(6.5 * SOUND_RATE) : round(8.5 * SOUND_RATE)].copy()
    expected[round(0.5 * SOUND_RATE) : round(1.5 * SOUND_RATE)] = 0
    np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-6)


def test_sound_beyond_the_recording_is_silence(reader: SessionReader) -> None:
    found = np.concatenate(list(reader.sound.blocks(T0 + 11.5, T0 + 12.5, 0.25)))
    assert len(found) == round(SOUND_RATE)
    assert np.abs(found[:2000]).max() > 0.4
    assert not found[2000:].any()


def test_sound_whose_stamps_jitter_is_played_sample_by_sample(tmp_path: Path) -> None:
    """Blocks cut by their stamps would lose or repeat some at every edge."""
    rng = np.random.default_rng(2)
    sound = rng.uniform(-1, 1, 8000).astype("f4")
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session):
        for begin in range(0, len(sound), 80):
            t = T0 + begin / SOUND_RATE + rng.uniform(0, 0.004)
            part = audio_arrival(sound[begin : begin + 80], t, SOUND_RATE)
            session.sources["audio"].offer(part)
    with SessionReader(tmp_path / "s.xdf") as opened:
        blocks = opened.sound.blocks(opened.begin, opened.end, 0.25)
        found = np.concatenate(list(blocks))
        np.testing.assert_allclose(found[:7900], sound[:7900])
        assert len(opened.losses) == 0


def test_losses_are_found(reader: SessionReader) -> None:
    assert [loss.modality for loss in reader.losses] == ["eeg", "audio"]
    for loss in reader.losses:
        assert loss.first == pytest.approx(GAP[0], abs=0.01)
        assert loss.last == pytest.approx(GAP[1], abs=0.01)


def test_markers_are_said_in_words(reader: SessionReader) -> None:
    texts = [mark.text for mark in reader.marks]
    assert texts == ["trial start 1 Anger", "trial end 1 Anger"]
    for sent in ('{"mark": "baseline"}', '{"note": "baseline"}', "baseline"):
        assert marker_text(Marker(0.0, sent, "")) == "baseline"


def test_the_levels_of_a_stream_are_its_spread(
    recorded: Recorded, reader: SessionReader
) -> None:
    times, levels = reader.eeg.levels(1.0)
    assert len(times) == len(levels) == 11  # seconds with data
    assert np.median(levels) == pytest.approx(20, rel=0.1)
    assert times[0] == pytest.approx(T0)


def test_a_recording_of_eeg_alone_is_read(tmp_path: Path) -> None:
    session = FakeSession()
    with recorder(tmp_path / "s.xdf", session):
        session.sources["eeg"].offer(eeg_arrival(np.ones((30, 500), "f4"), T0))
    with SessionReader(tmp_path / "s.xdf") as opened:
        assert opened.sound.empty
        assert opened.frames.empty
        assert opened.recorded.at(T0) is None
        assert opened.seconds == pytest.approx(1.0, abs=0.01)


def test_eeg_that_no_electrode_is_known_of_is_said(test_data) -> None:
    """Of another recorder: eight channels of LabRecorder."""
    with pytest.raises(InputRefused, match=r"cannot be shown: EEG stream .* lacks"):
        SessionReader(test_data("xdf_samples/eeglab_test_8ch_1000Hz.xdf"))


def test_a_recording_of_labrecorder_shows_its_markers(test_data) -> None:
    with SessionReader(test_data("xdf_samples/clock_resets.xdf")) as opened:
        assert "lacks" in opened.eeg_fault
        assert len(opened.marks) == 175
        assert opened.seconds > 500


def test_the_only_recording_of_a_folder_is_found(
    recorded: Recorded, tmp_path: Path
) -> None:
    assert find_recording(recorded.path.parent) == recorded.path
    assert consent_path(recorded.path).exists()  # beside others that are none
    with pytest.raises(InputRefused, match="holds 0 recordings"):
        find_recording(tmp_path)
    for name in ("a.xdf", "b.xdf"):
        (tmp_path / name).touch()
    with pytest.raises(InputRefused, match=r"a\.xdf, b\.xdf"):
        find_recording(tmp_path)
