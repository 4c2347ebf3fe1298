"""The speed bench: figures whose answer is known, and ways that agree."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.__main__ import parser
from benchmarks.live.simulated import Feeder
from benchmarks.live.speed import run
from benchmarks.live.speed.figures import (
    by_size,
    difference,
    draw,
    followed_after,
    live_figures,
    queue,
    targets,
)
from benchmarks.live.speed.material import Material, demo_material, every_change
from benchmarks.live.speed.paper import random_checkpoint
from benchmarks.live.speed.run import SpeedOptions, bench_stages, make_backends
from benchmarks.live.speed.stages import (
    CACHES,
    PlainWay,
    SlidingWay,
    all_three,
    slide,
    time_stages,
)
from benchmarks.live.speed.watch import process_figures, run_live
from eav_live.recognition.recognizer import Recognizer
from eav_offline.backends import Backend, EagerBackend, make_backend
from eav_offline.checkpoint.file import Checkpoint, save_checkpoint
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config, load_config

COMPACT = Path(__file__).parents[2] / "configs" / "compact.toml"
SECONDS = 40.0
EMOTIONS_SHOWN = ((0.0, 0), (8.0, 1), (16.0, 2), (24.0, 3), (32.0, 4))


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(COMPACT)


@pytest.fixture(scope="module")
def material() -> Material:
    """Forty seconds in which each emotion has a tone and a brightness of its own."""
    rng = np.random.default_rng(2)
    eeg_t, audio_t = np.arange(0, SECONDS, 1 / 250), np.arange(0, SECONDS, 1 / 16000)
    shown = np.minimum(eeg_t // 8, 4)
    eeg = 20 * np.sin(2 * np.pi * (5 + 6 * shown) * eeg_t)
    eeg = eeg + 5 * rng.standard_normal((30, len(eeg_t)))
    pitch = 200 * 2 ** np.minimum(audio_t // 8, 4)
    audio = 0.3 * np.sin(2 * np.pi * pitch * audio_t)
    audio = audio + 0.01 * rng.standard_normal(len(audio_t))
    frames = []
    for i in range(round(SECONDS * 5)):
        picture = rng.integers(0, 60, (60, 80, 3)) + 40 * min(i // 40, 4)
        frames.append((0.2 * i, picture.astype(np.uint8)))
    return Material(
        *("tones", SECONDS, eeg.astype(np.float32), 250.0),
        *(audio.astype(np.float32), 16000.0, tuple(frames)),
        course=EMOTIONS_SHOWN,
    )


def test_every_emotion_follows_every_other_once() -> None:
    order = every_change(range(5))
    pairs = list(zip(order[:-1], order[1:], strict=True))
    assert sorted(pairs) == sorted((a, b) for a in range(5) for b in range(5) if a != b)


def test_a_model_quicker_than_the_hop_drops_nothing() -> None:
    assert queue([0.3] * 20, 0.5) == (20, 0)


def test_a_model_twice_as_slow_as_the_hop_drops_every_other_window() -> None:
    due, dropped = queue([1.0] * 20, 0.5)
    assert (due, dropped) == (40, 20)


def test_a_decision_that_does_not_stay_has_not_followed() -> None:
    out = np.arange(10.0, 16.0, 0.5)
    said = np.array([0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    assert followed_after(out, said, 9.75, 16.0, 1) == pytest.approx(12.5 - 9.75)
    assert followed_after(out, np.zeros(12), 9.75, 16.0, 1) is None


def made(t: float, emotion: int | None, truth: str | None = None) -> dict[str, Any]:
    fused = None if emotion is None else np.eye(5)[emotion].tolist()
    names = ("neutral", "sadness", "anger", "happiness", "calmness")
    return {
        **{"what": "made", "t": t, "at": t + 0.1, "wall": 1000 + t, "age_s": 0.1},
        **{"infer_s": 0.05, "fused": fused, "truth": truth},
        "label": None if emotion is None else names[emotion],
        "present": [] if emotion is None else ["eeg", "audio", "video"],
        "backend": "eager" if t > 6 else "onnx",
    }


def session_lines() -> list[dict[str, Any]]:
    """Two trials a pause apart, the second followed after 6 s; one window is lost."""
    lines: list[dict[str, Any]] = [
        {"what": "session", "model": "demo", "hop": 0.5},
        {"what": "trial", "at": 0.0, "emotion": "neutral", "seconds": 20.0},
        {"what": "trial", "at": 20.8, "emotion": "anger", "seconds": 20.0},
    ]
    lines += [made(t, 0) for t in np.arange(5.0, 20.1, 0.5) if t != 10.0]
    lines += [made(t, None) for t in np.arange(20.9, 25.8, 0.5)]
    lines += [made(t, 2 if t > 26.5 else 0) for t in np.arange(25.9, 42.0, 0.5)]
    lines += [{"what": "painted", "t": 5.0, "at": 5.13}]
    lines += [{"what": "screen", "at": 6.0 + i, "refreshes": 30.0, "longest_s": 0.04}
              for i in range(10)]  # fmt: skip
    return lines


def test_a_lost_window_is_dropped_and_a_pause_of_the_streams_is_not() -> None:
    figures = live_figures(session_lines())
    assert figures["windows_dropped"] == 1
    assert figures["windows_due"] == figures["windows_made"] + 1


def test_live_ages_and_changes_are_those_of_the_lines() -> None:
    figures = live_figures(session_lines())
    assert figures["age_s"]["p95"] == pytest.approx(0.1)
    assert figures["age_painted_s"]["p50"] == pytest.approx(0.13)
    assert figures["frames_per_second_p5"] == 30.0
    assert (figures["backend"], figures["backends"]["onnx"]) == ("eager", 3)
    follow = figures["follow_raw"]
    assert (follow["changes"], follow["followed"]) == (1, 1)
    assert follow["median_s"] == pytest.approx(26.9 + 0.1 - 20.8)


def test_a_decision_that_is_left_open_follows_nothing() -> None:
    lines = [
        {**line, "label": None} if line["what"] == "made" else line
        for line in session_lines()
    ]
    figures = live_figures(lines)
    assert figures["follow_raw"]["followed"] == 1
    assert figures["follow_smoothed"]["followed"] == 0


def test_processor_time_counts_from_the_first_estimate() -> None:
    looks = [(1000.0, 5.0, 1e8), (1006.0, 8.0, 2e8), (1010.0, 10.0, 3e8)]
    lines = [*session_lines(), {"what": "window", "wall": 999.5}]
    figures = process_figures(lines, looks, began=998.0)
    assert figures["window_s"] == pytest.approx(1.5)
    assert figures["first_prediction_s"] == pytest.approx(7.0)
    assert figures["cpu_cores"] == pytest.approx(0.5)
    assert figures["memory_highest_mb"] == 300


def test_windows_of_a_fed_material_hold_its_samples(material: Material) -> None:
    hops = list(slide(Feeder(material), 0.5, 3, first=16.0))
    for one in hops:
        assert all_three(one.raw)
        assert one.raw.audio is not None
        end = round(one.raw.t_end * 16000)
        np.testing.assert_array_equal(one.raw.audio, material.audio[end - 80_000 : end])
    assert hops[2].now - hops[1].now == pytest.approx(0.5)


def test_all_ways_agree_and_their_stages_are_part_of_the_whole(
    material: Material, config: Config
) -> None:
    checkpoint = random_checkpoint(config)
    backend = EagerBackend(checkpoint.model)
    torch.nn.init.normal_(checkpoint.model.by_modality["eeg"].head[1].weight)
    for head in checkpoint.model.ambt.heads.values():
        torch.nn.init.normal_(head[1].weight, std=0.05)
    plain = PlainWay("compact", checkpoint)
    cached = SlidingWay("compact", checkpoint, backend)
    bare = SlidingWay("compact", checkpoint, backend, CACHES)
    less = [SlidingWay("compact", checkpoint, backend, (one,)) for one in CACHES]
    less[0].most = 1
    recognizer = Recognizer(checkpoint, "same")
    run = time_stages(material, [plain, cached, bare, *less], 0.5, 3)
    for one, fused in zip(slide(Feeder(material), 0.5, 5), cached.fused, strict=True):
        np.testing.assert_allclose(recognizer.recognize(one.raw).fused, fused)
    for way in (cached, bare, *less):
        n = len(way.fused)
        assert difference(np.array(way.fused), np.array(plain.fused[:n])) < 1e-5
        for stages, busy in zip(way.stages, way.busy, strict=True):
            assert 0.3 * busy < sum(stages.values()) <= busy
    off = {f"eager, no {one}" for one in ("caches", *CACHES)}
    assert set(run["ways"]) == {"plain", "eager", *off}
    assert run["ways"]["eager, no columns"]["windows"] == 1
    assert [way for way in run["ways"].values() if way["caches"]] == [
        run["ways"]["eager"]
    ]
    assert run["ways"]["eager"]["windows"] == 3


def test_fitted_heads_tell_windows_apart(
    material: Material, config: Config, tmp_path: Path
) -> None:
    path = tmp_path / "compact.safetensors"
    save_checkpoint(path, random_checkpoint(config, seed=1))
    options = SpeedOptions(
        path, ("compact", "paper"), ["eager"], (0.5,), 2, 24, fit_windows=5
    )
    figures = bench_stages(material, options, tmp_path / "paper.safetensors", config)
    assert figures["paper_spread"]["mean_deviation"] > 0.05
    assert max(figures["paper_spread"]["winners"]) < 0.9
    assert figures["paper_max_probability_difference"] < 1e-4
    assert figures["paper_speedup"] > 0
    assert figures["paper_best"].startswith("eager")
    sizes = by_size(figures["runs"], [])
    assert set(sizes) == {"compact", "paper"}
    assert {"age_p95_s", "infer_p95_s", "real_time_factor", "cpu_share"} <= set(
        sizes["paper"]["eager"]
    )


def whole_figures() -> dict[str, Any]:
    one = {"size": "compact", **live_figures(session_lines()), "cpu_share": 0.7}
    one |= {"first_prediction_s": 8.0, "memory_mb": 900}
    return {
        "environment": {"processor": "a processor"},
        "runs": [],
        "live": [one],
        "paper_speedup": 2.0,
    }


def test_what_was_measured_live_replaces_what_follows_from_stages() -> None:
    way = {"backend": "eager", "caches": True, "age_p95_s": 9.0, "windows_dropped": 0}
    runs = [{"size": "compact", "hop_s": 0.5, "ways": {"eager": way}}]
    sizes = by_size(runs, whole_figures()["live"])
    assert sizes["compact"]["eager"]["age_p95_s"] == pytest.approx(0.1)
    assert sizes["compact"]["eager"]["windows_dropped"] == 1


def test_targets_are_met_missed_or_not_measured() -> None:
    met = {row["what"]: row["met"] for row in targets(whole_figures())}
    assert met["decision age p95, s"] is True
    assert met["processor, share of all cores"] is False
    assert met["paper speedup against plain"] is False
    assert met["faces, share of a core"] is None
    assert "every panel open: decision age p95, s" not in met
    late = {**whole_figures()["live"][0], "age_s": {"p95": 0.5}}
    figures = {**whole_figures(), "all_panels": late}
    met = {row["what"]: row["met"] for row in targets(figures)}
    assert met["decision age p95, s"] is True
    assert met["every panel open: decision age p95, s"] is False


def test_a_chart_has_a_bar_for_each_way(tmp_path: Path) -> None:
    way = {"stages_ms": {"filter": {"mean": 2.0}, "model": {"mean": 5.0}}}
    runs = [{"size": "compact", "hop_s": 0.5, "ways": {"plain": way, "eager": way}}]
    draw(tmp_path / "new" / "speed.png", runs)
    assert (tmp_path / "new" / "speed.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--hop", "0.5,0"], "0 cannot be used"),
        (["--sizes", "big"], "give some of compact, paper"),
    ],
)
def test_an_impossible_hop_or_size_is_refused(
    asked: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["live-speed", *asked])
    assert said in capsys.readouterr().err


def test_a_backend_that_is_refused_is_a_line_with_its_reason(
    material: Material,
    config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def make(name: str, checkpoint: Checkpoint, path: Path) -> Backend:
        if name == "onnx-int8":
            raise InputRefused("the int8 export differs from PyTorch by 0.062")
        if name == "compile":
            raise RuntimeError("no compiler")
        return make_backend(name, checkpoint, path)

    monkeypatch.setattr(run, "make_backend", make)
    path = tmp_path / "compact.safetensors"
    save_checkpoint(path, random_checkpoint(config))
    names = ["onnx-int8", "eager", "compile"]
    options = SpeedOptions(path, ("compact",), names, (0.5,), 2)
    figures = bench_stages(material, options, tmp_path / "unused")
    (one,) = figures["runs"]
    assert one["left_out"] == {
        "onnx-int8": "the int8 export differs from PyTorch by 0.062",
        "compile": "RuntimeError('no compiler')",
    }
    assert {"plain", "eager"} <= set(one["ways"])
    with pytest.raises(InputRefused, match="no backend can be measured"):
        make_backends(["onnx-int8"], random_checkpoint(config), path)


def test_the_demo_person_changes_emotion_every_twelve_seconds(
    synthetic_subject: Path,
) -> None:
    material = demo_material(synthetic_subject)
    assert len(material.changes) == 20
    assert material.seconds == 252.0
    assert material.eeg_uv.shape == (30, 252 * 500)
    assert len(material.frames) == 252 * 5


@pytest.mark.slow
@pytest.mark.lsl
@pytest.mark.qt
@pytest.mark.parametrize("all_panels", [False, True])
def test_the_running_program_is_watched(all_panels: bool) -> None:
    figures = run_live(["--hop", "0.5"], 5.0, all_panels)
    assert figures["windows_made"] >= 5
    assert figures["painted"] >= 5
    assert figures["age_painted_s"]["p50"] > figures["age_s"]["p50"]
    assert 0 < figures["cpu_share"] < 1
    json.dumps(figures)
