"""What is made wrong is what the bench says, and the gates see it or do not."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.offline import faces, someone_else
from benchmarks.offline import present_but_wrong as wrong
from benchmarks.offline.gated import Trial, rings_of
from benchmarks.offline.speakers import Speaker, read_speakers, scores
from benchmarks.offline.voices import Utterances
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_live.windows.quality import QualityWatch
from eav_offline.checkpoint.file import load
from eav_offline.common.errors import InputRefused
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS, FaceFrame
from eav_offline.data.recording import Recording
from eav_offline.models import predict
from eav_offline.models.personal import N_FACE, OwnFace, OwnVoice
from eav_offline.personal.faceprint import FaceNetwork
from eav_offline.preprocess import Inputs

BOX = np.array([4, 4, 12, 12], np.float32)
T_END = 10.0


def trial(person: int, emotion: int) -> Trial:
    random = np.random.default_rng([person, emotion])
    recording = Recording(
        name="",
        seconds=T_END,
        eeg_uv=random.normal(0, 20, (N_CHANNELS, 5000)).astype(np.float32),
        eeg_rate=500.0,
        channels=EEG_CHANNELS,
        audio=random.normal(0, 0.1, 80_000).astype(np.float32),
        audio_rate=8000.0,
        video=None,
        emotion=emotion,
    )
    frames = [
        FaceFrame(k / 5, random.integers(0, 255, (16, 16, 3), np.uint8), BOX, True)
        for k in range(50)
    ]
    return Trial(recording, frames, person)


TRIALS = [trial(person, emotion) for person in (1, 2) for emotion in range(3)]


def seen_as_bad(of: Trial) -> set[str]:
    rings, watch, judged = rings_of(of), QualityWatch(voices=False), {}
    for t in np.arange(1.0, T_END + 0.1, 0.5).tolist():
        judged = watch.judge(rings, t)
    return {m for m, quality in judged.items() if not quality.good}


def test_nothing_is_seen_as_bad_where_nothing_is_wrong() -> None:
    assert seen_as_bad(TRIALS[0]) == set()


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("frozen camera", {"video"}),
        ("unplugged cap", {"eeg"}),
        ("another face", set()),
        ("another voice", set()),
        ("wrong electrodes", set()),
    ],
)
def test_one_modality_is_made_wrong_and_the_gates_see_it_or_not(
    name: str, bad: set[str]
) -> None:
    modality, fault = wrong.FAULTS[name]
    before = TRIALS[0]
    after = fault(before, wrong._others(before, TRIALS))
    assert seen_as_bad(after) == bad
    changed = {
        "eeg": not np.array_equal(before.recording.eeg_uv, after.recording.eeg_uv),
        "audio": not np.array_equal(before.recording.audio, after.recording.audio),
        "video": after.faces[0].image is not before.faces[0].image,
    }
    assert [m for m, one in changed.items() if one] == [modality]
    assert after.emotion == before.emotion


def test_what_is_wrong_shows_another_emotion_and_where_it_says_so_another_person() -> (
    None
):
    others = wrong._others(TRIALS[0], TRIALS)
    assert {t.emotion for t in others} == {1, 2}
    assert others[0].person == 1
    assert wrong._of_another(TRIALS[0], others).person == 2


def test_one_person_alone_has_no_other_face() -> None:
    with pytest.raises(InputRefused, match="--people 2"):
        wrong.bench(1, None)


def test_what_no_gate_is_there_for_is_named_and_a_gate_that_fails_fails() -> None:
    kept, lost = {"gated": 0.76, "others": 0.78}, {"gated": 0.6, "others": 0.78}
    rows = {"frozen camera": kept, "another face": lost}
    real = {
        "voices": {"false_alarms": 0.01, "noticed": 0.95},
        "faces": {"false_alarms": 0.0, "noticed": 0.99},
    }
    named = {"not_met": ["another face"], "passed": True}
    nothing = dict.fromkeys(real)
    assert wrong.verdict(rows, nothing) == wrong.verdict(rows, real) == named
    assert not wrong.verdict({**rows, "frozen camera": lost}, real)["passed"]
    failed = wrong.verdict(rows, real, {"faults": {"another voice": lost}})
    assert failed == {
        "not_met": ["another face", "real: another voice"],
        "passed": False,
    }
    for worse in ({"false_alarms": 0.1}, {"noticed": 0.1}):
        for of, found in real.items():
            assert not wrong.verdict(rows, real | {of: found | worse})["passed"]


def test_real_voices_are_scored_by_speaker_and_room() -> None:
    n = 16_000
    tones = [np.sin(2 * np.pi * f * np.arange(n) / n) for f in range(400, 2000, 100)]
    person, emotion = np.repeat([1, 2], 8), np.tile(np.repeat([0, 1], 4), 2)
    said = Utterances(tones, person, emotion)
    found = read_speakers(said, lambda mel: np.resize(mel.mean(axis=0), 192))
    assert set(found) == {1, 2}
    for one in found.values():
        assert one.known.days.shape == (1, 192)
        assert [room.shape for room in one.rooms] == [(2 * 2, 3, 192)] * 2
    first, second, between = np.eye(3, 192, dtype=np.float32)

    def speaker(known: np.ndarray, *rooms: np.ndarray) -> Speaker:
        return Speaker(
            OwnVoice(known[None]), tuple(np.tile(x, (4, 3, 1)) for x in rooms)
        )

    told = {1: speaker(first, first, between), 2: speaker(second, second, first)}
    told |= {3: speaker(first, first, first)}
    scored = scores(told, lambda a, b: (a + b) % 2 == 0)
    assert scored["false_alarms"] == pytest.approx(2 / 6)  # 1 and 2 in another room
    assert scored["false_alarms_other_room"] == pytest.approx(2 / 3)
    assert scored["false_alarms_worst"] == 0.5
    assert scored["noticed_same_sex"] == pytest.approx(1 / 4)  # only 1's other room
    assert scored["noticed_other_sex"] == pytest.approx(6 / 8)


def test_somebody_else_is_heard_or_seen_in_another_mood() -> None:
    own, others = ([trial(person, e) for e in range(5)] for person in (1, 2))
    for replaced, audio, video in (
        (someone_else._heard, others, own),
        (someone_else._seen, own, others),
    ):
        found = someone_else._with_another(own, others, replaced)
        assert [one.emotion for one in found] == [0, 1, 2, 3, 4]
        for i, one in enumerate(found):
            heard = [
                np.array_equal(one.recording.audio, x.recording.audio) for x in audio
            ]
            seen = [one.faces is x.faces for x in video]
            assert sum(heard) == sum(seen) == 1
            told = heard if audio is others else seen
            assert not told[i]


def test_a_row_says_what_is_lost_and_what_was_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, eeg = ("eeg", "audio"), ("eeg",)
    said = {False: [(False, both)] * 4, True: [(False, both)] + [(True, eeg)] * 3}
    monkeypatch.setattr(
        someone_else, "_said", lambda people, wrong, gated, only: said[gated]
    )
    alone = {eeg: [(True, eeg)] * 4, both: [(True, both)] * 3 + [(True, eeg)]}
    assert someone_else._row([], alone, "audio", []) == {
        "plain": 0.0,
        "gated": 0.75,
        "caught": 0.75,
        "own_left_out": 0.25,
        "others": 1.0,
        "of": "eeg",
    }


def test_the_embedded_model_reads_eeg_besides() -> None:
    model, base = someone_else.composed().model, load(asset(PEOPLE_MODEL)).model
    rng = np.random.default_rng(8)
    eeg = rng.normal(0, 10, (30, 500)).astype(np.float32)
    mel = rng.normal(-6, 1, (498, 128)).astype(np.float32)
    found = predict(model, [Inputs(eeg, mel, None, None)]).by_modality
    assert (found["eeg"] > 0).sum() == len(model.knows) == 4
    expected = predict(base, [Inputs(None, mel, None, None)]).by_modality
    np.testing.assert_allclose(found["audio"], expected["audio"], rtol=1e-4)


def test_real_faces_are_scored_by_light() -> None:
    rng = np.random.default_rng(5)
    places = 0.7 * np.eye(3, N_FACE, dtype=np.float32)  # people are 1.0 apart
    known = [OwnFace(place[None]) for place in places]
    near = rng.normal(0, 0.01, (3, 6, N_FACE)).astype(np.float32)
    shown = [
        {"day": place + x, "night": np.roll(places, -1, axis=0)[i] + x}
        for i, (place, x) in enumerate(zip(places, near, strict=True))
    ]
    found = faces.scores(known, shown)
    day, night = found["lights"]["day"], found["lights"]["night"]
    assert (day["own"]["strange"], day["others"]["strange"]) == (0.0, 1.0)
    # By night everybody looks like the next person, who is one of the two others.
    assert (night["own"]["strange"], night["others"]["strange"]) == (1.0, 0.5)
    assert (found["false_alarms"], found["noticed"]) == (0.5, 0.75)
    assert day["own"]["farthest"] < 0.3 < 0.9 < day["others"]["nearest"]
    assert day["others"]["n"] == 6


def test_dlibs_file_is_read_in_its_order(tmp_path: Path) -> None:
    """A tensor is a 2, its shape, and floats; scales become part of the filters."""
    state = FaceNetwork().state_dict()
    rng, parts, expected = np.random.default_rng(6), [b"dlib"], {}
    for name in [name for name in state if name.endswith("bias")]:
        shape, n = state[name.replace("bias", "weight")].shape, len(state[name])
        filters, shifts, scale, more = (
            rng.normal(0, 1, size).astype("<f4") for size in (shape, n, n, n)
        )
        for numbers in (np.append(filters, shifts), np.append(scale, more)):
            size = len(numbers).to_bytes(4, "little").rstrip(b"\0")
            head = bytes([1, 2, len(size)]) + size + b"\1\1" * 3
            parts += [b"affine_", head, numbers.tobytes()]
        expected[name.replace("bias", "weight")] = filters * scale[:, None, None, None]
        expected[name] = shifts * scale + more
    last = rng.normal(0, 1, (256, 128)).astype("<f4")
    parts += [b"\1\2\2\0\1\1\x80\1\1\1\1", last.tobytes()]
    expected["last.weight"] = last.T
    (tmp_path / "dlib.dat").write_bytes(b"".join(parts))
    found = faces.read_dlib(tmp_path / "dlib.dat")
    assert found.keys() == expected.keys()
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, rtol=1e-5, atol=1e-6)
