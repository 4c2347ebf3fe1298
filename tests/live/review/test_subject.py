"""A subject in EAV layout under review: its trials one after another."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from eav_live.recognition.assets import DEMO_MODEL, asset
from eav_live.recognition.recognizer import Recognizer
from eav_live.recording.repredicting import recorded_model, repredict
from eav_live.review.anew import Anew, every_hop
from eav_live.review.reader import SessionReader, find_recording
from eav_live.review.subject import TRIAL_STEP
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.data.eav.subject import Subject, open_subject
from eav_offline.data.media import iter_frames, rgb
from eav_offline.data.recording import cut, track_faces
from eav_offline.preprocess.face import FaceTracker


@pytest.fixture(scope="module")
def subject(synthetic_subject: Path) -> Subject:
    return open_subject(synthetic_subject)


@pytest.fixture(scope="module")
def reader(synthetic_subject: Path) -> Iterator[SessionReader]:
    with SessionReader(find_recording(synthetic_subject)) as opened:
        yield opened


def test_each_moment_is_of_its_trial(reader: SessionReader, subject: Subject) -> None:
    assert reader.seconds == pytest.approx(TRIAL_STEP * 10 - 1)
    speaking = subject.trials("speaking")[-1]
    t = TRIAL_STEP * (speaking - 1) + 12.5
    recording = subject.recording(speaking)
    assert recording.eeg_uv is not None
    assert recording.audio is not None
    assert recording.video is not None
    for moment in (t, t + 0.3, t - 7.0, t):  # whatever was shown before
        since = moment - t + 12.5
        reader.show(moment + 1e-6)
        assert reader.eeg.ring is not None
        assert reader.sound.ring is not None
        n = round(since * 500)
        came = reader.eeg.ring.latest(2.0)[1][-900:].T
        np.testing.assert_allclose(came, recording.eeg_uv[:, n - 899 : n + 1])
        n = round(since * recording.audio_rate)
        heard = reader.sound.ring.latest(0.5)[1][:, 0]
        np.testing.assert_allclose(heard[-900:], recording.audio[n - 899 : n + 1])
        frames = [f for time, f in iter_frames(recording.video) if time <= since + 1e-6]
        newest = 6 * ((len(frames) - 1) // 6)  # five of thirty a second are kept
        shown = reader.frames.at(moment + 1e-6)
        assert shown is not None
        assert (shown.image == rgb(frames[newest])).all()
        assert shown.found
        assert 0 <= shown.box[0] < shown.box[2] <= shown.image.shape[1]


def test_labels_are_the_truth_and_between_trials_nothing_is_lost(
    reader: SessionReader, subject: Subject
) -> None:
    edges = np.arange(0.0, 10 * TRIAL_STEP, 0.25)
    truths = reader.truths(edges)
    middles = (edges[:-1] + edges[1:]) / 2
    within = middles % TRIAL_STEP < 20.0
    numbers = (middles // TRIAL_STEP).astype(int)
    assert (truths[within] == subject.emotions[numbers[within]]).all()
    assert (truths[~within] == -1).all()
    assert reader.losses == []
    assert len(reader.marks) == 10
    assert EMOTIONS[subject.emotions[2]] in reader.marks[2].text


def test_no_window_is_of_two_trials_and_smoothing_begins_anew_with_each(
    reader: SessionReader, subject: Subject
) -> None:
    windows = list(every_hop(reader))
    at_end = [w for w in windows if w.t % TRIAL_STEP == 20.0]
    assert [w.truth for w in at_end] == [EMOTIONS[e] for e in subject.emotions]
    firsts = [w.t for w in windows if w.anew]
    assert firsts[0] == 5.0
    assert len(firsts) == 10
    assert all(b - a == TRIAL_STEP for a, b in pairwise(firsts[1:]))


def test_estimates_are_those_of_the_trials_alone(
    reader: SessionReader, subject: Subject
) -> None:
    """As they are made offline, of a trial that the one before must not reach into."""
    model = asset(DEMO_MODEL)
    assert recorded_model(reader.session) == model  # the person does not exist
    wanted = [5.0, TRIAL_STEP + 2.0, TRIAL_STEP + 5.0]
    windows = [w for w in every_hop(reader) if w.t in wanted]
    session = replace(reader.session, predictions=windows)
    found = repredict(session, Recognizer.load(model), FaceTracker())
    recognizer = Recognizer.load(model)
    for one in found:
        trial = int(one.recorded.t // TRIAL_STEP)
        recording = replace(subject.recording(trial + 1), seconds=5.0)
        since = one.recorded.t - trial * TRIAL_STEP
        if since < 5.0:
            assert one.now["fused"] is None
            continue
        faces = track_faces(recording, FaceTracker())
        expected = recognizer.recognize(cut(recording, faces, since))
        assert one.present == tuple(
            m for m, p in expected.by_modality.items() if p is not None
        )
        np.testing.assert_allclose(one.now["fused"], expected.fused, atol=1e-4)


def test_notes_are_kept_beside_the_folder(
    synthetic_subject: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "subject1.a"
    shutil.copytree(synthetic_subject, folder)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    monkeypatch.chdir(folder)
    with SessionReader(find_recording(Path("."))) as opened:
        opened.annotations.add(30.0, "looks away")
        work = Anew(opened, asset(DEMO_MODEL))
    notes = json.loads((tmp_path / "subject1.a.annotations.json").read_text())
    assert notes["annotations"] == [{"t": 30.0, "text": "looks away"}]
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
    assert work.total == len(list(every_hop(opened)))
    (label_file,) = folder.rglob("*label.mat")
    label_file.unlink()
    with pytest.raises(InputRefused, match="label file"):
        SessionReader(find_recording(folder))
