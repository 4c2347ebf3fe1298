"""Zero-shot EEG: what is held out stays out, and what the figures mean."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from agreement import assert_figures_agree
from planted import tiny_config
from planted_cache import SETTINGS, write_cache

from benchmarks.offline.zero_shot import shared_windows
from eav_offline.commands.zero_shot import parse_unseen
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.data.window_set import WindowSet, window_set
from eav_offline.training.runtime import TrainingError
from eav_offline.training.stages import fit_encoder
from eav_offline.training.train import TrainingData, new_model
from eav_offline.zero_shot import engine
from eav_offline.zero_shot.engine import learn_zero_shot
from eav_offline.zero_shot.scoring import harmonic, rule_scores, seen_unseen_area
from eav_offline.zero_shot.space import (
    Guard,
    GuardedWindows,
    JointSpace,
    SpaceSettings,
    UnseenClassLeak,
    Vectors,
    av_centroids,
    contrast,
    encoder_vectors,
    fit_classifier,
    fit_space,
    guarded,
    seen_only,
)
from eav_offline.zero_shot.study import (
    ZeroShotJob,
    ZeroShotSettings,
    run_zero_shot,
    run_zero_shot_study,
    summarize_zero_shot,
    zero_shot_jobs,
    zero_shot_table,
)

HAPPINESS = 3
QUICK_SPACE = SpaceSettings(steps=20)


def config(epochs: int = 1) -> Config:
    stage = {"epochs": epochs, "batch": 20, "learning_rate": 3e-3, "augment": False}
    seen = {**stage, "frames": 2}
    return tiny_config(eeg=stage, audio=stage, video=seen, ambt=seen)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    windows = window_set([shared_windows(1, True, trials_per_class=4)])
    late = windows.trial > 15  # the last trial of each class
    return TrainingData(windows.subset(~late), None, windows.subset(late), SETTINGS)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("zero") / "cache", [1, 2])


def vectors(n_each: int = 6, seed: int = 0, classes: int = 5, size: int = 8) -> Vectors:
    random = np.random.default_rng(seed)
    emotion = np.repeat(np.arange(classes), n_each)
    values = (
        random.standard_normal((len(emotion), size)) + 3 * np.eye(8)[emotion, :size]
    )
    tensor = torch.from_numpy(values.astype(np.float32))
    return Vectors(tensor, emotion, np.arange(len(emotion)))


# The guard


def test_a_planted_class_is_refused_when_eeg_is_read(data: TrainingData) -> None:
    let_in = guarded(data.train, Guard(frozenset({HAPPINESS})))
    with pytest.raises(UnseenClassLeak, match="happiness"):
        let_in.batch(np.arange(len(let_in)), ["eeg"])


def test_the_guard_is_kept_by_a_part_of_the_windows(data: TrainingData) -> None:
    part = guarded(data.train, Guard(frozenset({HAPPINESS}))).with_modality("eeg")
    with pytest.raises(UnseenClassLeak):
        part.array("eeg", np.flatnonzero(part.emotion == HAPPINESS))


def test_sound_of_the_class_may_be_read(data: TrainingData) -> None:
    let_in = guarded(data.train, Guard(frozenset({HAPPINESS})))
    rows = np.flatnonzero(let_in.emotion == HAPPINESS)
    assert len(let_in.array("audio", rows)) == len(rows)


def test_a_planted_class_stops_the_encoder(data: TrainingData) -> None:
    let_in = guarded(data.train, Guard(frozenset({HAPPINESS})))
    model = new_model(config(), ("eeg",), fusion=False)
    with pytest.raises(UnseenClassLeak):
        fit_encoder(model, "eeg", let_in, None, config())


def test_a_planted_class_among_watched_windows_stops_the_encoder(
    data: TrainingData,
) -> None:
    guard = Guard(frozenset({HAPPINESS}))
    model = new_model(config(), ("eeg",), fusion=False)
    with pytest.raises(UnseenClassLeak):
        fit_encoder(
            model,
            "eeg",
            seen_only(data.train, {HAPPINESS}),
            guarded(data.train, guard),
            config(),
        )


def test_a_planted_class_stops_the_vectors(data: TrainingData) -> None:
    let_in = guarded(data.train, Guard(frozenset({HAPPINESS})))
    model = new_model(config(), ("eeg",), fusion=False)
    with pytest.raises(UnseenClassLeak):
        encoder_vectors(model, let_in, ("eeg",))


def test_a_planted_class_stops_the_joint_space() -> None:
    with pytest.raises(UnseenClassLeak, match="joint space"):
        fit_space(
            vectors(), vectors(seed=1), Guard(frozenset({HAPPINESS})), QUICK_SPACE, 0
        )


def test_a_planted_class_stops_the_classifier() -> None:
    space = fit_space(vectors(), vectors(seed=1), Guard(frozenset()), QUICK_SPACE, 0)
    with pytest.raises(UnseenClassLeak, match="classifier"):
        fit_classifier(space, vectors(), vectors(seed=1), Guard(frozenset({HAPPINESS})))


def test_a_class_let_into_a_run_stops_it(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgotten(windows: WindowSet, unseen: tuple[int, ...]) -> WindowSet:
        return guarded(windows, Guard(frozenset(unseen)))

    monkeypatch.setattr(engine, "seen_only", forgotten)
    with pytest.raises(UnseenClassLeak):
        learn_zero_shot(data, [(HAPPINESS,)], config(), maps=False)


def watching(data: TrainingData) -> TrainingData:
    """The same with its second last trial of each class to validate on."""
    last = data.train.trial > 10
    return TrainingData(
        data.train.subset(~last), data.train.subset(last), data.test, SETTINGS
    )


def test_validation_of_a_run_leaves_the_class_out_behind_the_guard(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: dict[str, WindowSet] = {}

    def spy(model: object, m: str, windows: object, seen: WindowSet, *rest: object):
        watched[m] = seen
        return fit_encoder(model, m, windows, seen, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "fit_encoder", spy)
    parts = watching(data)
    assert parts.validation is not None
    learn_zero_shot(parts, [(HAPPINESS,)], config(), False, QUICK_SPACE, maps=False)
    everything = set(parts.validation.emotion.tolist())
    assert HAPPINESS in everything
    assert set(watched["eeg"].emotion.tolist()) == everything - {HAPPINESS}
    assert isinstance(watched["eeg"], GuardedWindows)
    assert watched["eeg"].guard == Guard(frozenset({HAPPINESS}))
    assert set(watched["audio"].emotion.tolist()) == everything


def test_a_class_let_into_the_validation_of_a_run_stops_it(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = watching(data)

    def forgotten(windows: WindowSet, unseen: tuple[int, ...]) -> WindowSet:
        if windows is parts.validation:
            return guarded(windows, Guard(frozenset(unseen)))
        return seen_only(windows, unseen)

    monkeypatch.setattr(engine, "seen_only", forgotten)
    with pytest.raises(UnseenClassLeak, match="happiness"):
        learn_zero_shot(parts, [(HAPPINESS,)], config(), maps=False)


def test_the_run_does_not_depend_on_eeg_of_the_class(data: TrainingData) -> None:
    """Whatever stands in its EEG, every figure stays as it was."""

    def figures(spoiled: bool) -> dict[str, object]:
        one = shared_windows(1, True, trials_per_class=4)
        if spoiled:
            train = (one.trial <= 15) & (one.emotion == HAPPINESS)
            one.eeg[train] = np.nan
        windows = window_set([one])
        late = windows.trial > 15
        parts = windows.subset(~late), None, windows.subset(late)
        found = learn_zero_shot(
            TrainingData(*parts, SETTINGS), [(HAPPINESS,)], config(), False, QUICK_SPACE
        ).results["held_out"]["happiness"]
        return {k: v for k, v in found.items() if k != "seconds"}

    assert_figures_agree(figures(spoiled=True), figures(spoiled=False))


# The mode


@pytest.mark.parametrize(("strict", "known"), [(False, True), (True, False)])
def test_only_transfer_trains_sound_and_face_on_the_class(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch, strict: bool, known: bool
) -> None:
    seen: dict[str, set[int]] = {}

    def spy(model: object, m: str, windows: WindowSet, *rest: object) -> object:
        seen[m] = set(windows.emotion.tolist())
        return fit_encoder(model, m, windows, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "fit_encoder", spy)
    learned = learn_zero_shot(
        data, [(HAPPINESS,)], config(), strict, QUICK_SPACE, maps=False
    )
    assert HAPPINESS not in seen["eeg"]
    assert (HAPPINESS in seen["audio"], HAPPINESS in seen["video"]) == (known, known)
    assert learned.results["mode"] == ("strict" if strict else "cross-modal transfer")


@pytest.mark.parametrize("strict", [False, True])
def test_only_transfer_shows_the_class_to_the_joint_space(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    sides: dict[str, set[int]] = {}
    centroids: list[set[int]] = []

    def spy_space(eeg: Vectors, av: Vectors, *rest: object) -> object:
        sides.update(eeg=set(eeg.emotion.tolist()), av=set(av.emotion.tolist()))
        return fit_space(eeg, av, *rest)  # type: ignore[arg-type]

    def spy_centroids(space: JointSpace, av: Vectors) -> torch.Tensor:
        centroids.append(set(av.emotion.tolist()))
        return av_centroids(space, av)

    monkeypatch.setattr(engine, "fit_space", spy_space)
    monkeypatch.setattr(engine, "av_centroids", spy_centroids)
    learn_zero_shot(data, [(HAPPINESS,)], config(), strict, QUICK_SPACE, maps=False)
    seen = {0, 1, 2, 4}
    assert sides == {"eeg": seen, "av": seen if strict else seen | {HAPPINESS}}
    # In both modes the finished space then places the sounds and faces of it.
    assert centroids == [seen | {HAPPINESS}]


def test_encoders_are_in_eval_mode_and_unchanged_while_the_space_learns(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    fitted = fit_space

    def spy(eeg: Vectors, *rest: object) -> object:
        assert not eeg.values.requires_grad
        space = fitted(eeg, *rest)  # type: ignore[arg-type]
        modes.append(space.training)
        return space

    monkeypatch.setattr(engine, "fit_space", spy)
    learn_zero_shot(data, [()], config(), False, QUICK_SPACE, maps=False)
    assert modes == [False]


def test_all_classes_mode_has_nothing_unseen(data: TrainingData) -> None:
    learned = learn_zero_shot(data, [()], config(), False, QUICK_SPACE, maps=False)
    rules = learned.results["held_out"]["none"]["rules"]
    assert rules["nearest"]["seen"] is not None
    assert rules["nearest"]["unseen"] is None
    assert rules["nearest"]["harmonic"] is None


def test_a_class_without_sound_or_face_is_refused(data: TrainingData) -> None:
    train = data.train.subset(data.train.emotion != HAPPINESS)
    with pytest.raises(TrainingError, match="happiness"):
        learn_zero_shot(
            TrainingData(train, None, data.test, SETTINGS), [(HAPPINESS,)], config()
        )


# The joint space


def test_pairs_of_one_class_are_no_negatives() -> None:
    """With positives only, loss is the entropy of sharing out among them alone."""
    anchors = torch.nn.functional.normalize(torch.randn(4, 3), dim=1)
    same = torch.ones(4, 4, dtype=torch.bool)
    identical = anchors[:1].expand(4, 3)
    assert contrast(identical, identical, same, 0.07) == pytest.approx(np.log(4))
    # A same-class partner nearby costs nothing; as a negative it would.
    near = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    apart = torch.tensor([[True, False], [False, True]])
    together = torch.ones(2, 2, dtype=torch.bool)
    gradient = []
    for pairs in (together, apart):
        moved = near.clone().requires_grad_()
        contrast(moved, torch.tensor([[1.0, 0.1], [1.0, -0.1]]), pairs, 0.07).backward()
        gradient.append(float(moved.grad.abs()[:, 1].max()))
    assert gradient[0] < 0.01 < gradient[1]


def test_the_contrast_is_the_mean_log_share_of_the_pairs_of_a_class() -> None:
    random = np.random.default_rng(2)
    sides = [random.normal(size=(n, 3)) for n in (4, 5)]
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in sides)
    same = np.array([0, 0, 1, 2])[:, None] == np.array([0, 0, 0, 1, 2])
    weight = np.exp(one @ other.T / 0.5)
    log_share = np.log(weight / weight.sum(1, keepdims=True))
    expected = -np.mean([log_share[i][same[i]].mean() for i in range(4)])
    found = contrast(*(torch.from_numpy(x) for x in (one, other, same)), 0.5)
    assert float(found) == pytest.approx(expected)


def test_anchors_without_a_partner_say_nothing() -> None:
    anchors = torch.nn.functional.normalize(torch.randn(3, 4), dim=1)
    same = torch.tensor([[True, False], [False, True], [False, False]])
    others = torch.nn.functional.normalize(torch.randn(2, 4), dim=1)
    assert contrast(anchors, others, same, 0.07) == pytest.approx(
        float(contrast(anchors[:2], others, same[:2], 0.07))
    )


def test_classes_of_both_sides_meet_in_the_space() -> None:
    eeg, av = vectors(20, 0), vectors(20, 1, size=7)
    guard = Guard(frozenset())
    space = fit_space(eeg, av, guard, SpaceSettings(), 0)
    cosine = space.place("eeg", vectors(20, 2)) @ av_centroids(space, av).T
    assert (cosine.argmax(1).numpy() == eeg.emotion).mean() > 0.9


def test_the_same_seed_gives_the_same_space() -> None:
    spaces = [
        fit_space(vectors(), vectors(seed=1), Guard(frozenset()), QUICK_SPACE, 5)
        for _ in range(2)
    ]
    placed = [space.place("eeg", vectors()) for space in spaces]
    torch.testing.assert_close(*placed, rtol=0, atol=1e-4)


# The figures


def test_seen_unseen_and_harmonic_are_means_over_classes() -> None:
    truth = np.array([0, 0, 0, 1, 2, 2])
    said = np.array([0, 0, 1, 1, 2, 0])
    found = rule_scores(np.eye(5)[said], truth, [2])
    assert found["seen"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["unseen"] == pytest.approx(0.5)
    assert found["harmonic"] == pytest.approx(1 / ((6 / 5 + 2) / 2))
    assert harmonic(1.0, 0.0) == 0.0
    assert found["conventional"] is None


def test_conventional_accuracy_knows_the_unseen_classes_only() -> None:
    scores = np.array([[9.0, 2, 1, 0, 0], [9.0, 1, 2, 0, 0]])
    found = rule_scores(scores, np.array([1, 2]), [1, 2])
    assert (found["unseen"], found["conventional"]) == (0.0, 1.0)
    assert found["conventional_chance"] == 0.5


def test_the_area_does_not_depend_on_a_leaning_to_seen_classes() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(5), 10)
    scores = random.standard_normal((50, 5)) + 2 * np.eye(5)[truth]
    leaning = scores.copy()
    leaning[:, 3] -= 100
    area = seen_unseen_area(scores, truth, [3])
    assert area == pytest.approx(seen_unseen_area(leaning, truth, [3]))
    assert seen_unseen_area(np.eye(5)[truth], truth, [3]) == pytest.approx(1.0)


# Jobs


def test_the_command_words_name_sets_of_classes() -> None:
    assert parse_unseen("Happiness") == ((3,),)
    assert parse_unseen("calmness, Anger") == ((2, 4),)
    assert parse_unseen("all") == ((0,), (1,), (2,), (3,), (4,))
    assert len(parse_unseen("pairs")) == 10
    assert parse_unseen("none") == ((),)
    with pytest.raises(InputRefused, match="'joy'"):
        parse_unseen("joy")


def settings_of(cache: Path, out: Path, **options: object) -> ZeroShotSettings:
    chosen = {"maps": False, "space": QUICK_SPACE, **options}
    return ZeroShotSettings([cache], out, config(), **chosen)  # type: ignore[arg-type]


def test_a_job_travels_and_a_finished_one_is_kept(cache: Path, tmp_path: Path) -> None:
    (job,) = zero_shot_jobs([1], parse_unseen("Happiness"))
    settings = settings_of(cache, tmp_path, maps=True)
    job, settings = pickle.loads(pickle.dumps((job, settings)))
    first, again = run_zero_shot(job, settings), run_zero_shot(job, settings)
    assert (first["status"], again["status"]) == ("done", "kept")
    assert first["held_out"] == again["held_out"]  # read from its file
    with np.load(tmp_path / job.name / "maps.npz") as maps:
        n = len(maps["happiness.eeg_after_emotion"])
        assert maps["happiness.eeg_after"].shape == (n, 2)


def test_a_run_of_another_mode_is_not_taken_for_this_one(
    cache: Path, tmp_path: Path
) -> None:
    job = ZeroShotJob("run", 1, ((3,),), 0)
    run_zero_shot(job, settings_of(cache, tmp_path))
    with pytest.raises(InputRefused, match="mode"):
        run_zero_shot(job, settings_of(cache, tmp_path, strict=True))


def test_a_failing_person_does_not_stop_the_others(cache: Path, tmp_path: Path) -> None:
    settings = settings_of(cache, tmp_path)
    work = zero_shot_jobs([1, 9], ((3,),))
    study = run_zero_shot_study(work, settings)
    assert [job["status"] for job in study["jobs"]] == ["done", "failed"]
    assert study["jobs"][1]["subject"] == 9
    assert "subject09/seed0" in zero_shot_table(study)


def test_the_average_is_each_persons_over_five_held_out_classes() -> None:
    names = ("neutral", "sadness", "anger", "happiness", "calmness")

    def run(subject: int, values: list[float]) -> dict[str, object]:
        figures = [dict.fromkeys(("seen", "unseen", "harmonic"), v) for v in values]
        none = dict.fromkeys(("seen_unseen_area", "conventional"))
        rules = [
            {"nearest": {**f, **none}, "classifier": {**f, **none}} for f in figures
        ]
        held = {n: {"rules": r} for n, r in zip(names, rules, strict=False)}
        return {"subject": subject, "held_out": held}

    whole = summarize_zero_shot([run(1, [0.1, 0.2, 0.3, 0.4, 0.5]), run(2, [0.5] * 5)])
    assert whole["average"]["nearest"]["unseen"]["mean"] == pytest.approx(0.4)
    assert whole["average"]["nearest"]["unseen"]["n_subjects"] == 2
    assert summarize_zero_shot([run(1, [0.1, 0.2])])["average"] == {}
