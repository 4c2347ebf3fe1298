import base64
import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from planted import tiny_config
from planted_cache import quick_config, write_cache
from report_runs import write_run

from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.config import Config
from eav_offline.core.labels import EMOTION_COLORS, MODALITIES
from eav_offline.evaluation.metrics import ece, nll
from eav_offline.evaluation.statistics import over_subjects
from eav_offline.report import write_report
from eav_offline.report.comparing import even_shares
from eav_offline.report.drawing import DARK
from eav_offline.report.groups import Model, group_runs
from eav_offline.report.page import PUBLISHED, synthetic_notice
from eav_offline.report.runs import read_runs
from eav_offline.report.tables import (
    calibration,
    compare_across,
    compare_outputs,
    fused_to,
    measure,
    output_rows,
    p_value,
    run_accuracy,
    subset_accuracy,
)

SUBJECTS = tuple(range(1, 7))  # fewer are too few to compare models over
VOID = {"meta", "img", "br", "link"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, six subjects, two seeds; one folder is of an older format."""
    root = tmp_path_factory.mktemp("runs")
    for variant, bonus in (("mean", 0.0), ("concat", 0.6)):
        for subject in SUBJECTS:
            for seed in (0, 1):
                config = tiny_config(variant, seed=seed)
                folder = root / variant / f"subject{subject:02d}" / f"seed{seed}"
                write_run(folder, config, (subject,), bonus=bonus)
    old = root / "old"
    old.mkdir()
    (old / "results.json").write_text('{"modalities": {}}')
    return root


@pytest.fixture(scope="module")
def report(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    write_report([runs], out, {"tiny": tiny_config().model.model_dump(mode="json")})
    return out


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page on one run of one real subject, with signs in it that HTML knows."""
    root = tmp_path_factory.mktemp("single")
    run = run_at(root / "<b>x", validation=False, stages=("eeg", "audio"))
    damage_results(run, device="<script>alert(1)</script>")
    return write_report([root], root / "out.html").page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def models(runs: Path) -> list[Model]:
    return group_runs(read_runs([runs])[0], {})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Page(HTMLParser):
    """Collects what a browser would fetch, the figures, and whether tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "srcset")]
        if tag == "a" and not str(found["href"]).startswith("#"):
            self.links.append(str(found["href"]))
        self.ids += [v or "" for k, v in attrs if k == "id"]
        if tag == "img":
            self.images.append(found)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def figures(page: Page) -> list[str]:
    """The SVG text of every figure."""
    return [
        base64.b64decode(str(image["src"]).split(",")[1]).decode()
        for image in page.images
    ]


def run_at(folder: Path, seed: int = 0, **how: object) -> Path:
    return write_run(folder, tiny_config(seed=seed), **how)  # type: ignore[arg-type]


def damage_results(run: Path, **changes: object) -> None:
    stored = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(stored | changes))


# The page


def test_page_fetches_nothing_from_outside_itself(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    page = Page(text)
    assert page.addresses
    outside = [a for a in page.addresses if not a.startswith(("data:image/svg", "#"))]
    # Sources to follow, which are not fetched.
    assert outside == page.links == [line.address for line in PUBLISHED]
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_page_is_well_formed_and_its_contents_lead_somewhere(report: Path) -> None:
    page = Page(report.read_text(encoding="utf-8"))
    assert page.open == []
    targets = [a[1:] for a in page.addresses if a.startswith("#")]
    assert len(targets) > 8
    assert set(targets) <= set(page.ids)


def test_every_figure_says_in_words_what_it_shows(report: Path) -> None:
    page = Page(report.read_text(encoding="utf-8"))
    # Subjects, subsets and scalp; confusion, reliability and learning of two models.
    assert len(page.images) == 9
    assert all(len(str(image["alt"])) > 60 for image in page.images)


def test_figures_hold_no_outside_link_and_no_photograph(report: Path) -> None:
    for svg in figures(Page(report.read_text(encoding="utf-8"))):
        links = re.findall(r'xlink:href="([^"]{1,30})', svg)
        assert all(link.startswith(("#", "data:image/png")) for link in links)
        assert "data:image/jpeg" not in svg


def test_emotions_have_the_dashboards_colors(report: Path) -> None:
    svgs = "".join(figures(Page(report.read_text(encoding="utf-8"))))
    assert all(color in svgs for color in EMOTION_COLORS.values())


def test_published_results_are_labeled_as_such_with_source_and_warning(
    report: Path,
) -> None:
    text = report.read_text(encoding="utf-8")
    section = text[text.index('id="published"') : text.index('id="subjects"')]
    assert "Published by others, not measured here" in section
    assert "best epoch on the test set" in section
    for line in PUBLISHED:
        assert line.source in section
        assert line.fused in section
        assert line.address.startswith("https://")


def test_banner_names_the_synthetic_models(tmp_path: Path) -> None:
    run_at(tmp_path / "real")
    write_run(tmp_path / "drawn", tiny_config("concat"), demo=True)
    both = group_runs(read_runs([tmp_path])[0], {})
    assert synthetic_notice(both) == (
        "custom AMBT-concat was trained on synthetic people."
    )
    assert synthetic_notice(both[:1]).startswith("All runs of this report")
    assert synthetic_notice(both[1:]) == ""


def test_what_a_model_does_not_know_is_said_and_in_no_chart(tmp_path: Path) -> None:
    run = run_at(tmp_path / "runs" / "a")
    known = ["neutral", "sadness", "anger", "happiness"]
    damage_results(run, knows=known, n_left_out=6)
    text = write_report([tmp_path], tmp_path / "out.html").page.read_text("utf-8")
    assert "knows neutral, sadness, anger and happiness only" in text
    assert "6 test windows are left out of the figures" in text
    assert "Guessing among four emotions reaches 25" in text
    matrices = [x for x in Page(text).images if "Confusion" in str(x["alt"])]
    assert all("calmness" not in str(x["alt"]) for x in matrices)
    assert len(matrices) == 1
    drawn = figures(Page(text))
    assert not any("chance 20" in svg for svg in drawn)
    assert any("chance 25" in svg for svg in drawn)


def test_report_of_real_people_has_no_banner(single: str) -> None:
    assert 'class="banner"' not in single


def test_text_from_files_is_escaped(single: str) -> None:
    assert "<script>" not in single
    assert "&lt;script&gt;" in single
    assert "<b>x" not in single
    assert "&lt;b&gt;x" in single


def test_few_subjects_are_pointed_out(single: str) -> None:
    assert "tested on 1 subject only" in single
    assert "None: a paired test needs" in single


def test_one_box_warns_of_few_subjects_whatever_the_number_of_models(
    tmp_path: Path,
) -> None:
    for variant in ("mean", "concat"):
        write_run(tmp_path / variant, tiny_config(variant), (1, 2))
    text = write_report([tmp_path], tmp_path / "out.html").page.read_text("utf-8")
    assert text.count('class="quiet"') == 1
    assert "All models were tested on 2 subjects only" in text
    # Two people have no interval, so none is spoken of either.
    assert "interval by subject" not in text
    assert all("interval by" not in svg for svg in figures(Page(text)))


def test_counts_are_told_in_the_right_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_at(tmp_path / "a")
    with caplog.at_level("INFO"):
        text = write_report([tmp_path], tmp_path / "out.html").page.read_text("utf-8")
    assert "1 run of 1 model" in caplog.text
    assert "1 run in this report" in text


def test_a_model_of_one_modality_has_no_fused_row_beside_it(tmp_path: Path) -> None:
    run_at(tmp_path / "a", stages=("eeg",))
    (model,) = group_runs(read_runs([tmp_path])[0], {})
    assert model.outputs == ("eeg",)
    assert model.main_output == "eeg"


def test_the_share_of_training_trials_is_what_the_split_says(tmp_path: Path) -> None:
    for subject, n in ((1, 45), (2, 44)):
        run = run_at(tmp_path / f"s{subject}", subjects=(subject,))
        split = json.loads((run / "split.json").read_text())
        parts = split["subjects"][str(subject)]
        parts["train"] = list(range(1, n - 4))  # 15 trials test
        parts["validation"] = list(range(n - 4, n + 1))
        (run / "split.json").write_text(json.dumps(split))
        damage_results(run, split=split)
    (model,) = group_runs(read_runs([tmp_path])[0], {})  # a trial lacks: no matter
    assert model.protocol == (
        "within subject, 66 to 67 % of trials train, 8 % validate"
    )


def test_summary_tables_and_bars_have_one_figure(tmp_path: Path) -> None:
    """Though one person has more windows, and some windows lack a modality."""
    subjects = (1, 2, 3)
    run = run_at(tmp_path / "a", subjects=subjects)
    stored = json.loads((run / "results.json").read_text())
    fused = {}
    for number in subjects:
        scores = stored["by_subject"][str(number)]
        fused[number] = scores["modalities"]["fused"]["accuracy"]
        # Over the windows that have everything another accuracy comes out.
        scores["subsets"]["eeg+audio+video"]["accuracy"] = 0.123
    stored["by_subject"]["1"]["modalities"]["fused"]["accuracy"] = fused[1] = 0.5
    (run / "results.json").write_text(json.dumps(stored))
    runs = read_runs([tmp_path])[0]
    (model,) = group_runs(runs, {})
    mean = np.mean(list(fused.values()))
    (row,) = (r for r in output_rows([model]) if r.output == model.main_output)
    assert row.accuracy.mean == pytest.approx(mean)
    bar = subset_accuracy(model, "eeg+audio+video")
    assert bar is not None
    assert bar.mean == pytest.approx(mean)
    assert run_accuracy(runs[0], "fused") == pytest.approx(mean)
    text = write_report([tmp_path], tmp_path / "out.html").page.read_text("utf-8")
    assert f"{100 * mean:.1f}\u00a0%" in text[: text.index("<nav")]
    bars = next(svg for svg in figures(Page(text)) if "accuracy of the fused" in svg)
    assert f">{100 * mean:.1f}<" in bars


def test_figures_follow_the_readers_light_and_dark(report: Path) -> None:
    for svg in figures(Page(report.read_text(encoding="utf-8"))):
        assert "prefers-color-scheme: dark" in svg
        body = svg[svg.index("</style><defs>") :]
        # Nothing white lies behind a figure, and letters are seen on either ground.
        assert 'style="fill: #ffffff"' not in re.sub(r"<text[^>]*>", "", body)
        letters = re.findall(r'<text[^>]*style="[^"]*fill: (#\w{6})', body)
        assert set(letters) <= {*DARK, "#ffffff"}


def test_settings_versions_and_timings_are_there(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "[model.fusion]" in text
    assert "torch 2.13.0" in text
    assert re.search(r"<td>1\d\.\d \(10\.\d to 1\d\.\d\)</td>", text)


# Reading


def test_unreadable_runs_are_listed_with_their_reason(report: Path, runs: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert f"{runs.name}/old" in text
    assert "is of format unnumbered, expected 2" in text


def test_no_run_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"no results\.json in it"):
        read_runs([tmp_path])
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(InputRefused, match=r"results\.json is damaged"):
        read_runs([tmp_path])
    with pytest.raises(InputRefused, match="is not a folder"):
        read_runs([tmp_path / "missing"])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda run: (run / "predictions.npz").unlink(),
            r"predictions\.npz is missing",
        ),
        (
            lambda run: (run / "predictions.npz").write_bytes(b"PK\3\4"),
            r"predictions\.npz is damaged",
        ),
        (lambda run: (run / "history.csv").write_text("a,b\n"), "names none of"),
        (lambda run: (run / "config.toml").write_text("x = 1"), "unknown key x"),
        (lambda run: damage_results(run, n_windows=0), "not tested"),
        (lambda run: damage_results(run, demo="perhaps"), r"results\.json: demo"),
        (lambda run: damage_results(run, modalities={}), "modalities"),
        (lambda run: damage_results(run, split={}), "one of them was changed"),
    ],
)
def test_damaged_run_is_left_out_with_its_reason(
    tmp_path: Path, damage: object, reason: str
) -> None:
    run_at(tmp_path / "good")
    damage(run_at(tmp_path / "bad"))  # type: ignore[operator]
    found, unreadable = read_runs([tmp_path])
    assert [run.name for run in found] == [f"{tmp_path.name}/good"]
    assert re.search(reason, unreadable[0].reason)


def test_predictions_of_another_training_are_found_out(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    other = run_at(tmp_path / "b", seed=1)
    (other / "predictions.npz").replace(run / "predictions.npz")
    with pytest.raises(InputRefused, match="they are of two trainings"):
        read_runs([run])


def test_run_tested_on_what_it_trained_on_is_left_out(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    about = json.loads((run / "split.json").read_text())
    parts = about["subjects"]["1"]
    parts["train"].append(parts["test"].pop())
    (run / "split.json").write_text(json.dumps(about))
    damage_results(run, split=about)
    with pytest.raises(InputRefused, match="does not name as test trials"):
        read_runs([run])


def test_failed_runs_of_a_study_are_listed(tmp_path: Path) -> None:
    run_at(tmp_path / "subject01" / "seed0")
    jobs = [
        {"name": "subject01/seed0", "status": "done"},
        {"name": "subject02/seed0", "status": "failed", "error": "out of memory"},
    ]
    (tmp_path / "study.json").write_text(json.dumps({"jobs": jobs}))
    _, (failed,) = read_runs([tmp_path])
    assert failed.name == f"{tmp_path.name}/subject02/seed0"
    assert failed.reason == "failed: out of memory"


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    run = run_at(tmp_path / "a")
    np.savez(run / "predictions.npz", emotion=np.array([{}], dtype=object))
    with pytest.raises(InputRefused, match=r"predictions\.npz is damaged"):
        read_runs([run])


def test_a_run_named_twice_counts_once(runs: Path) -> None:
    once, _ = read_runs([runs / "mean"])
    twice, _ = read_runs([runs / "mean", runs / "mean" / "subject01"])
    assert len(once) == len(twice) == 2 * len(SUBJECTS)


# Models


def test_runs_that_differ_in_seed_and_subject_are_one_model(
    models: list[Model],
) -> None:
    assert [model.name for model in models] == [
        "custom AMBT-concat",
        "custom AMBT-mean",
    ]
    assert all(len(model.runs) == 12 for model in models)
    assert models[0].seeds == (0, 1)
    assert models[0].subjects == SUBJECTS


def test_known_sizes_give_models_their_names(runs: Path) -> None:
    sizes = {"tiny": tiny_config().model.model_dump(mode="json")}
    found = group_runs(read_runs([runs])[0], sizes)
    assert [model.name for model in found] == ["tiny AMBT-concat", "tiny AMBT-mean"]


def test_models_of_one_name_show_the_settings_that_differ(tmp_path: Path) -> None:
    for value in (0.0, 0.3):
        config = tiny_config(modality_dropout=value)
        write_run(tmp_path / str(value), config)
    names = {model.name for model in group_runs(read_runs([tmp_path])[0], {})}
    assert names == {
        "custom AMBT-mean (train.modality_dropout 0.0)",
        "custom AMBT-mean (train.modality_dropout 0.3)",
    }


def test_stages_and_protocols_are_kept_apart(tmp_path: Path) -> None:
    run_at(tmp_path / "eeg", stages=("eeg",))
    run_at(tmp_path / "all")
    fold = {"train": [2, 3], "test": [1]}
    run_at(tmp_path / "fold1of3" / "seed0", fold=fold)
    run_at(tmp_path / "loso01" / "seed0", fold=fold)
    found = group_runs(read_runs([tmp_path])[0], {})
    assert {model.protocol for model in found} == {
        "within subject, 70 % of trials train",
        "new people, 3 folds",
        "new people, one at a time",
    }
    assert len({model.name for model in found}) == len(found) == 4
    assert any(model.name == "custom EEG only" for model in found)


def test_synthetic_and_real_people_are_neither_pooled_nor_compared(
    tmp_path: Path,
) -> None:
    people = list(range(1, 7))
    run_at(tmp_path / "real", subjects=people)
    run_at(tmp_path / "drawn", subjects=people, demo=True)
    found = group_runs(read_runs([tmp_path])[0], {})
    assert {model.name for model in found} == {
        "custom AMBT-mean (synthetic false)",
        "custom AMBT-mean (synthetic true)",
    }
    assert compare_across(output_rows(found)) == []


def test_a_subject_tested_twice_under_a_seed_is_pointed_out(tmp_path: Path) -> None:
    run_at(tmp_path / "a")
    run_at(tmp_path / "b")
    (model,) = group_runs(read_runs([tmp_path])[0], {})
    assert model.repeated == (f"{tmp_path.name}/b",)


# Figures over subjects


def test_seeds_are_averaged_before_subjects_are(models: list[Model]) -> None:
    over = measure(models[0], "fused", "accuracy")
    assert over is not None
    accuracies = {
        (int(subject), run.results.seed): scores.modalities["fused"].accuracy
        for run in models[0].runs
        for subject, scores in run.results.by_subject.items()
    }
    by_subject = [(accuracies[s, 0] + accuracies[s, 1]) / 2 for s in SUBJECTS]
    assert list(over.by_subject.values()) == pytest.approx(by_subject)
    assert over.mean == pytest.approx(np.mean(by_subject))
    assert over.sd == pytest.approx(np.std(by_subject, ddof=1))
    assert over.interval is not None
    assert over.interval[0] < over.mean < over.interval[1]


def test_figures_that_do_not_exist_are_left_out_of_means() -> None:
    over = over_subjects([(1, 0.5), (2, None), (3, float("nan"))])
    assert over is not None
    assert over.by_subject == {1: 0.5}
    assert over.sd is None
    assert over_subjects([(1, None)]) is None


def test_trial_and_smoothed_accuracy_agree_with_the_runs_own(tmp_path: Path) -> None:
    run_at(tmp_path / "a", subjects=(3,))
    (model,) = group_runs(read_runs([tmp_path])[0], {})
    stored = json.loads((tmp_path / "a" / "results.json").read_text())["modalities"]
    for output in ("eeg", "averaged", "fused"):
        trial, smoothed = (
            measure(model, output, "trial_accuracy"),
            measure(model, output, "smoothed_accuracy"),
        )
        assert trial is not None
        assert smoothed is not None
        assert trial.mean == pytest.approx(stored[output]["trial"]["accuracy"])
        assert smoothed.mean == pytest.approx(stored[output]["smoothed"]["accuracy"])


def test_figures_without_first_windows_are_those_of_the_others(
    models: list[Model],
) -> None:
    row = next(r for r in output_rows(models[:1]) if r.output == "fused")
    hits, truths, chances = {}, [], []
    for run in models[0].runs:
        said = run.predictions
        later = said.position > 0
        truth, rows = said.emotion[later], said.probabilities["fused"][later]
        hits.setdefault(said.subject[0], []).append((rows.argmax(1) == truth).mean())
        truths.append(truth)
        chances.append(rows)
    over = row.over["accuracy_without_first"]
    assert over is not None
    assert over.mean == pytest.approx(np.mean([np.mean(x) for x in hits.values()]))
    expected = nll(np.concatenate(truths), np.concatenate(chances))
    assert row.nll_without_first == pytest.approx(expected)


def test_calibration_of_one_run_is_the_runs_own(tmp_path: Path) -> None:
    run_at(tmp_path / "a")
    (model,) = group_runs(read_runs([tmp_path])[0], {})
    stored = json.loads((tmp_path / "a" / "results.json").read_text())["modalities"]
    found = calibration(model, "eeg")
    for name in ("nll", "ece", "nll_scaled", "ece_scaled"):
        assert getattr(found, name) == pytest.approx(stored["eeg"][name])


def test_calibration_pools_the_windows_of_all_runs(models: list[Model]) -> None:
    predictions = [run.predictions for run in models[0].runs]
    truth = np.concatenate([one.emotion for one in predictions])
    chances = np.concatenate([one.probabilities["fused"] for one in predictions])
    assert calibration(models[0], "fused").ece == pytest.approx(ece(truth, chances))


def test_without_temperatures_nothing_is_scaled(tmp_path: Path, single: str) -> None:
    run_at(tmp_path / "a", validation=False)
    (model,) = group_runs(read_runs([tmp_path])[0], {})
    assert calibration(model, "fused").ece_scaled is None
    assert "Without validation trials no temperature could be fitted" in single


def test_models_are_compared_over_the_subjects_they_share(models: list[Model]) -> None:
    (found,) = compare_across(output_rows(models))
    assert found.comparison.n_subjects == len(SUBJECTS)
    assert (found.comparison.first, found.comparison.second) == (
        "custom AMBT-concat",
        "custom AMBT-mean",
    )
    assert found.comparison.difference > 0


def test_models_of_different_protocols_are_not_compared(tmp_path: Path) -> None:
    people = list(range(1, 8))
    run_at(tmp_path / "pooled", subjects=people)
    run_at(tmp_path / "fold", subjects=people, fold={"train": [8], "test": people})
    rows = output_rows(group_runs(read_runs([tmp_path])[0], {}))
    assert compare_across(rows) == []
    within = compare_outputs(rows)
    assert {pair.comparison.second for pair in within} == {*MODALITIES, "averaged"}


def test_holm_corrects_only_the_pairs_that_are_shown() -> None:
    better = {s: 0.8 + s / 100 for s in range(6)}
    worse = {s: 0.3 for s in range(6)}
    pairs = fused_to({"fused": better, "eeg": worse, "audio": worse})
    assert [pair.p for pair in pairs] == pytest.approx([2 / 64] * 2)
    assert [pair.p_holm for pair in pairs] == pytest.approx([4 / 64] * 2)


def test_p_values_are_not_rounded_to_nothing() -> None:
    assert [p_value(p) for p in (0.00002, 0.0123, 0.25)] == ["< 0.001", "0.012", "0.25"]


def test_even_saliency_is_one_everywhere() -> None:
    assert even_shares({"Cz": 0.2, "Pz": 0.2}) == {"Cz": 1.0, "Pz": 1.0}


# The tables


def test_csv_files_hold_the_figures_with_all_digits(
    report: Path, models: list[Model]
) -> None:
    lines = rows_of(report.with_name("report_models.csv"))
    assert len(lines) == 10
    fused = next(x for x in lines if x["output"] == "fused" and "concat" in x["model"])
    over = measure(models[0], "fused", "accuracy")
    assert over is not None
    assert float(fused["accuracy_mean"]) == over.mean
    assert fused["n_subjects"] == "6"
    assert fused["n_runs"] == "12"
    subjects = rows_of(report.with_name("report_subjects.csv"))
    assert len(subjects) == 2 * 5 * len(SUBJECTS)
    assert {line["n_runs"] for line in subjects} == {"2"}
    subsets = rows_of(report.with_name("report_subsets.csv"))
    assert len(subsets) == 2 * 7


# Through the command


def test_command_reports_a_study_that_training_has_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = write_cache(tmp_path / "cache", (1,))
    config = tmp_path / "quick.toml"
    config.write_text(_toml(quick_config()))
    study = tmp_path / "study"
    train = [
        "train",
        "--data",
        str(cache),
        "--config",
        str(config),
        "--out",
        str(study),
    ]
    train += ["--protocol", "within", "--validation", "--device", "cpu"]
    assert main(train) == 0
    out = tmp_path / "out" / "report.html"
    assert main(["report", str(study), "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    text = out.read_text(encoding="utf-8")
    assert 'class="banner"' in text
    # Of three trials a class one each trains, validates and tests.
    assert "within subject, 33 % of trials train, 33 % validate" in text
    assert "could not be read or had failed" not in text
    lines = rows_of(out.with_name("report_models.csv"))
    assert [line["output"] for line in lines] == [
        *("eeg", "audio", "video", "averaged", "fused")
    ]
    # One person and one epoch make no chart: fusion, subsets, scalp, confusion,
    # reliability.
    assert len(Page(text).images) == 5
    assert "One was tested, subject 1: " in text
    assert re.search(r"AMBT: training loss \d\.\d\d, accuracy [\d.]+ %", text)


def test_page_must_be_html(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"ends in \.html"):
        write_report([runs], tmp_path / "report.pdf")


def _toml(config: Config) -> str:
    from eav_offline.config import to_toml

    return to_toml(config)
