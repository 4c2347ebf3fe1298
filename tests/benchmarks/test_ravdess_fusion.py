"""Fusion of published features: how they are read, and who is never learned from."""

import csv
import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.offline import contest, ravdess_fusion
from benchmarks.offline.ravdess_fusion import (
    AMBT,
    CUT,
    FILES,
    Clips,
    FeatureTokens,
    read_clips,
    scores,
)
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import EMOTIONS
from eav_offline.evaluation import statistics

WORDS = {"01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry"}
OURS = ("neutral", "calmness", "happiness", "sadness", "anger")
ACTORS = range(1, 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six actors, two clips of each emotion, one feature an emotion in each table."""
    random = np.random.default_rng(0)
    for modality, name in FILES.items():
        kind, ending = ("03", "wav") if modality == "audio" else ("01", "mp4")
        rows = []
        for actor in ACTORS:
            for code, word in {**WORDS, "08": "surprised"}.items():
                for strong in ("01", "02"):
                    shown = np.array([k == code for k in WORDS]) + 10.0 * actor
                    values = [*(shown + random.normal(0, 0.2, len(WORDS))), ""]
                    about = [
                        f"{kind}-01-{code}-{strong}-01-01-{actor:02}.{ending}",
                        word,
                        strong,
                        actor,
                        "female",
                    ]
                    rows.append(values + about)
        random.shuffle(rows)
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(
                [*WORDS, "lacking", "file", "emotion", "intensity", "actor", "gender"]
            )
            writer.writerows(rows)
    return tmp_path


@pytest.fixture
def clips(folder: Path) -> Clips:
    return read_clips(folder)


def test_face_and_voice_of_a_clip_are_joined_and_other_emotions_left_out(
    clips: Clips,
) -> None:
    assert len(clips.emotion) == len(ACTORS) * 2 * len(WORDS)
    for features in clips.features.values():
        assert features.shape[1] == len(WORDS)  # a column without values is dropped
        shown = [OURS[i] for i in (features - features.mean(1)[:, None]).argmax(1)]
        assert shown == [EMOTIONS[i] for i in clips.emotion]
        np.testing.assert_allclose(features.mean(1), 10 * clips.actor, atol=0.5)


def test_a_folder_without_the_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"audio_summary\.csv is missing"):
        read_clips(tmp_path)


def test_what_is_missing_is_filled_from_training_rows_alone(clips: Clips) -> None:
    x = clips.features["audio"].copy()
    x[0, 0], train = np.nan, np.arange(20, len(x))
    filled = replace(clips, features={"audio": x}).filled(train).features["audio"]
    assert filled[0, 0] == pytest.approx(x[train, 0].mean())
    own = replace(clips, features={"audio": x}).standardized().features["audio"]
    for actor in ACTORS:
        theirs = own[clips.actor == actor]
        np.testing.assert_allclose(np.nanmean(theirs, axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(np.nanstd(theirs, axis=0), 1)


def test_windows_hold_a_clips_features_and_no_eeg(clips: Clips) -> None:
    batch = clips.windows().batch(np.arange(len(clips.emotion)))
    assert sorted(batch.parts) == ["audio", "video"]
    for m, part in batch.parts.items():
        encoder = FeatureTokens(part.shape[-1], 2, (0,))
        flat = torch.from_numpy(clips.features[m]).float()
        encoder.eval()
        assert torch.allclose(encoder.below_fusion(part), encoder.below_fusion(flat))


def test_tested_actors_are_recognized_and_their_labels_never_read(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contest, "STRENGTHS", (1.0,))
    monkeypatch.setattr(ravdess_fusion, "INNER_FOLDS", 2)
    # It is asked for after every phase, and would be a third of all.
    monkeypatch.setattr(gc, "collect", lambda *generation: 0)
    config = ravdess_fusion._config(0)
    few = {n: {"epochs": 3, "learning_rate": 0.03} for n in (*FILES, "ambt")}
    stages = {n: config.train.stage(n).model_copy(update=few[n]) for n in few}
    config = config.model_copy(update={"train": config.train.model_copy(update=stages)})
    clips = clips.standardized()
    train, test = (np.flatnonzero((clips.actor > 1) == side) for side in (True, False))
    unlabeled = clips.emotion.copy()
    unlabeled[test] = -1  # no loss and no count takes it
    found = ravdess_fusion._fold(replace(clips, emotion=unlabeled), train, test, config)
    for name in ("regression: face", "encoders: mean", CUT, AMBT):
        right = found[name].argmax(1) == clips.emotion[test]
        assert right.mean() >= 0.8, name


def test_scores_are_by_actor_and_set_ambt_beside_its_rivals(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "N_RESAMPLES", 100)
    wrong = np.where(clips.actor == 1, (clips.emotion + 1) % 5, clips.emotion)
    names = (*ravdess_fusion._RIVALS, AMBT)
    seed = {n: clips.emotion if n == AMBT else wrong for n in names}
    figures = scores(clips, [seed, seed])
    assert figures["contenders"][AMBT]["accuracy"] == 1
    assert figures["contenders"][CUT]["by_person"]["accuracy"]["1"] == 0
    gain = figures["ambt_minus"][CUT]
    assert gain["difference"] == pytest.approx(1 / 6)
    assert gain["people_better"] == 1
