"""A calibration without a window: recorded, fitted, kept, killed, taken up again."""

import io
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import cued_person
import pytest
from cued_person import CODE, CuedPerson, calibration, pass_time

from eav_live import cli
from eav_live.calibrate.clips import labeled_windows, planned
from eav_live.calibrate.running import Calibrating, Stage, ending
from eav_live.commands import calibrate as command
from eav_live.commands import live
from eav_live.options.config import Must
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_live.recognition.people import Person, people_folder
from eav_live.recording import guard
from eav_live.recording.repredicting import recorded_model
from eav_live.session.opening import model_file
from eav_offline.checkpoint.file import load
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import file_digest
from eav_offline.core.labels import EMOTIONS

CLIPS = 10
MODEL = asset("demo.safetensors")
pytestmark = pytest.mark.timeout(240)


def run_on(cued: CuedPerson, calibrating: Calibrating) -> None:
    pass_time(cued, calibrating, lambda: calibrating.stage is Stage.ANSWER)
    assert calibrating.error == ""


def in_terminal(cued: CuedPerson, calibrating: Calibrating) -> str:
    """What the command without a window says, while the person does what it says."""
    tick = calibrating.tick

    def step() -> None:
        session = calibrating.collecting
        if calibrating.stage is Stage.CUES and session is not None:
            cued.step(session.course.trial.emotion)
        tick()

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.setattr(calibrating, "tick", step)
        patch.setattr(command, "_TICK_SECONDS", 0.0)
        patch.setattr("sys.stdin", io.StringIO())
        assert command._in_terminal(calibrating, yes=False) == 0
    return said.getvalue()


@pytest.fixture(scope="module")
def calibrated(
    synthetic_subject: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of people, with P01 in it whose ten clips made a model."""
    people = tmp_path_factory.mktemp("data") / "eav-live" / "people"
    cued = CuedPerson(synthetic_subject)
    calibrating = calibration(cued, people, CLIPS, MODEL)
    assert calibrating.found == ""
    assert not people.exists()  # nothing before the person agrees
    told = in_terminal(cued, calibrating)
    made = calibrating.result
    assert made is not None
    assert made.n_clips == CLIPS
    assert set(made.by_modality) == {"eeg", "audio"}
    for trial in calibrating.loaded.plan:
        assert f"Speak, {trial.emotion}: {trial.text}\n" in told
    assert f"after  {made.after.value:.1%} (" in told
    assert calibrating.person.model is None  # nobody was there to answer
    assert "the same command asks again" in ending(calibrating)
    if os.name == "posix":
        assert calibrating.person.folder.stat().st_mode & 0o077 == 0
    calibrating.keep()
    assert f"eav-live --person {CODE}" in ending(calibrating)
    return people


@pytest.fixture
def people(calibrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it where the program looks."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(calibrated, people_folder())
    assert tmp_path in people_folder().parents
    return people_folder()


def options(*words: str) -> object:
    return live.session_options(live.parser("").parse_args(words))


def test_the_next_session_of_the_person_finds_the_model(people: Path) -> None:
    kept = people / CODE / f"{CODE}.safetensors"
    assert model_file(options("--person", CODE)) == kept
    card = load(kept).card
    assert card is not None
    assert f"adapted to {CODE}: {CLIPS} labeled clips" in card.line
    assert model_file(options("--person", "P02")) == asset(PEOPLE_MODEL)
    assert model_file(options()) == asset(PEOPLE_MODEL)
    named = options("--person", CODE, "--model", str(MODEL))
    assert model_file(named) == MODEL
    made_with = {"model": {"sha256": file_digest(kept)}}
    recording = SimpleNamespace(person=CODE, settings=made_with, synthetic=False)
    assert recorded_model(recording) == kept  # type: ignore[arg-type]
    recording.settings = {"model": {"sha256": "of another day"}}
    assert recorded_model(recording) == asset(PEOPLE_MODEL)  # type: ignore[arg-type]


def test_another_day_adds_to_it(people: Path, synthetic_subject: Path) -> None:
    kept = people / CODE / f"{CODE}.safetensors"
    before = file_digest(kept)
    cued = CuedPerson(synthetic_subject, began=90_000.0)
    calibrating = calibration(cued, people, CLIPS, kept)
    assert calibrating.there == set()
    calibrating.agree()
    run_on(cued, calibrating)
    assert file_digest(kept) == before
    assert calibrating.result is not None
    if not calibrating.can_keep:
        pytest.fail("the same person's second day was refused")
    calibrating.keep()
    layer = load(kept).model.personal
    assert layer is not None
    assert layer.told == f"{2 * CLIPS} labeled clips of 2 days"
    assert len(list((people / CODE).glob("*.xdf"))) == 2


def killed(subject: Path, people: Path, where: str) -> None:
    words = [str(subject), str(people), str(CLIPS), str(MODEL), where]
    helpers = Path(cued_person.__file__).parent
    done = subprocess.run(
        [sys.executable, str(helpers / "cued_person.py"), *words],
        env=os.environ
        | {"PYTHONPATH": f"{helpers}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        timeout=200,
        check=False,
    )
    assert done.returncode == -9


@pytest.mark.timing
def test_killed_it_goes_on_with_what_is_there(
    synthetic_subject: Path, tmp_path: Path
) -> None:
    """While cueing, by the operating system; while fitting, by starting another."""
    killed(synthetic_subject, tmp_path, "cues")
    cued = CuedPerson(synthetic_subject, began=90_000.0)
    calibrating = calibration(cued, tmp_path, CLIPS, MODEL)
    assert calibrating.found == "5 of 10 clips are recorded already; 5 are left."
    first = {t.number for t in planned(CLIPS, 0).plan[:5]}
    assert calibrating.there == first
    calibrating.agree()
    pass_time(cued, calibrating, lambda: calibrating.stage is Stage.FITTING)
    calibrating.end()
    again = calibration(cued, tmp_path, CLIPS, MODEL)
    assert again.stage is Stage.FITTING  # no stream is opened, nobody is cued
    assert "none is left to record" in again.found
    run_on(cued, again)
    assert again.result is not None
    assert again.result.n_clips == CLIPS


@pytest.mark.slow
@pytest.mark.timing
def test_killed_while_fitting_it_fits_again_and_asks(
    synthetic_subject: Path, tmp_path: Path
) -> None:
    killed(synthetic_subject, tmp_path, "fitting")
    cued = CuedPerson(synthetic_subject, began=90_000.0)
    again = calibration(cued, tmp_path, CLIPS, MODEL)
    assert again.stage is Stage.FITTING
    run_on(cued, again)
    assert again.result is not None
    assert again.result.n_clips == CLIPS


@pytest.mark.parametrize(("answer", "left"), [("kept", True), (None, False)])
def test_killed_while_keeping_the_answer_holds(
    people: Path, answer: str | None, left: bool
) -> None:
    """The model lies there unfinished; whether it counts, the notes say."""
    person = Person(CODE)
    assert person.model is not None
    person.model.replace(person.pending())
    if answer is None:
        person.note(person.begin(CLIPS))
    assert (Person(CODE).model is not None) == left
    assert not person.pending().exists()


def test_what_was_not_fit_to_be_recognized_counts_as_absent(
    synthetic_subject: Path, tmp_path: Path
) -> None:
    """Of a clip in which the microphone was mute, the EEG is learned from alone."""
    cued = CuedPerson(synthetic_subject)
    cued.silent = ("sadness",)
    calibrating = calibration(cued, tmp_path, CLIPS, MODEL)
    calibrating.agree()
    session = calibrating.collecting
    assert session is not None
    calibrating.tick()
    session.space()
    cued_once: list[str] = []
    while len(cued_once) < 2:
        emotion = session.course.trial.emotion
        if emotion in cued_once or emotion not in ("sadness", "anger"):
            session.skip()
            continue
        index = session.course.index
        pass_time(cued, calibrating, lambda: session.course.index > index)  # noqa: B023
        cued_once.append(emotion)
    calibrating.end()
    (recording,) = (tmp_path / CODE).glob("*.xdf")
    found = labeled_windows([recording], load(MODEL))
    assert [EMOTIONS[i] for i in found.emotion] == cued_once
    assert len(set(found.clip.tolist())) == 2
    for emotion, inputs in zip(cued_once, found.inputs, strict=True):
        assert inputs.eeg is not None
        assert (inputs.log_mel is None) == (emotion == "sadness")


def test_a_longer_script_begins_as_a_shorter_one_and_is_balanced() -> None:
    short, long = planned(20, 3).plan, planned(50, 3).plan
    assert long[:20] == short
    assert planned(20, 4).plan != short
    there = {t.number for t in short[:5]}
    assert planned(20, 3, there).plan == short[5:]
    shown = [t.emotion for t in long]
    assert {e: shown.count(e) for e in shown} == dict.fromkeys(shown, 10)
    assert planned(20, 3).seconds == pytest.approx(240)  # four minutes


def test_without_what_the_session_must_have_nothing_begins(
    synthetic_subject: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "WAIT_SECONDS", 0.0)
    cued = CuedPerson(synthetic_subject)
    calibrating = calibration(cued, tmp_path, CLIPS, MODEL, Must(streams=("video",)))
    command._in_terminal(calibrating, yes=False)
    assert calibrating.stage is Stage.REFUSED
    assert "Face is off: give --video." in str(calibrating.refused)
    assert not list(tmp_path.rglob("*.xdf"))


def test_it_begins_when_all_is_there_and_not_before(
    synthetic_subject: Path, tmp_path: Path
) -> None:
    cued = CuedPerson(synthetic_subject)
    must = Must(streams=("eeg",), markers="Cues")
    calibrating = calibration(cued, tmp_path, CLIPS, MODEL, must)
    calibrating.agree()
    for _ in range(3):
        calibrating.tick()
        assert calibrating.stage is Stage.WAITING
        assert not list(tmp_path.rglob("*.xdf"))
    assert calibrating._streams is not None
    intake, _ = calibrating._streams
    monitor = SimpleNamespace(connected=True)
    intake.markers = monitor  # type: ignore[assignment]
    calibrating.tick()
    assert calibrating.stage is Stage.CUES
    assert len(list(tmp_path.rglob("*.xdf"))) == 1
    intake.markers = None
    calibrating.end()


def test_what_is_no_code_is_refused() -> None:
    for code in ("../P01", "", "a b"):
        with pytest.raises(InputRefused, match="is no code"):
            Person(code)


def test_forgetting_removes_every_trace(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also recordings elsewhere, and what a backend made of a model since replaced."""
    person = Person(CODE)
    (recording,) = (people / CODE).glob("*.xdf")
    elsewhere = tmp_path / "sessions"
    elsewhere.mkdir()
    for suffix in (".xdf", ".consent.json"):
        here = recording.with_suffix(suffix)
        here.rename(elsewhere / here.name)
    (elsewhere / "other.xdf").touch()
    (calibrated,) = person.calibrations
    moved = str(elsewhere / recording.name)
    notes = people / CODE / "calibration.json"
    notes.write_text(notes.read_text().replace(str(calibrated.recordings[0]), moved))
    exported = tmp_path / "cache" / "eav-live" / "backends" / "a-onnx"
    exported.mkdir(parents=True)
    digest = calibrated.sha256
    (exported / "manifest.json").write_text(f'{{"checkpoint_sha256": "{digest}"}}')
    assert person.model is not None
    person.model.write_bytes(b"of another day")
    Path(people / "P02").mkdir()

    assert cli.main(["forget", CODE, "--yes"]) == 0
    out = capsys.readouterr().out
    assert not (people / CODE).exists()
    assert not exported.exists()
    assert [p.name for p in elsewhere.iterdir()] == ["other.xdf"]
    assert (people / "P02").exists()
    assert out.index("recording:") < out.index("calibrations, ")
    for path in tmp_path.rglob("*"):
        assert CODE not in path.name
    assert cli.main(["forget", CODE, "--yes"]) == 1  # nothing is left of P01
