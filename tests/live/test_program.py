"""`eav-live` in a hostile user's hands: what it refuses, says, and ends with."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from eav_live import cli
from eav_live.commands import live
from eav_live.commands.options import number, whole
from eav_live.doctor import display
from eav_live.logs import session_log
from eav_live.logs.lines import as_text
from eav_live.recognition.predictions import Prediction, StreamHealth, StreamState
from eav_live.recognition.recognizer import Recognition
from eav_live.session import opening as composition
from eav_live.session.inference import Session
from eav_offline.checkpoint.card import Card
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.sureness import State
from eav_offline.core.window import RawWindow
from eav_offline.preprocess import PreprocessSettings

NOBODY = ("--eeg-stream", "x", "--audio", "none", "--video", "none", "--headless")
CONSENT = ("--person", "P01", "--consent-by", "me")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hop", "nan"), "--hop: nan cannot be used; give a number from 0.02 to 60"),
        (("--hop", "0"), "--hop: 0 cannot be used"),
        (("--hop", "soon"), "--hop: soon cannot be used"),
        (("--smoothing", "-1"), "--smoothing: -1 cannot be used; give a number from 0"),
        (("--smoothing", "inf"), "--smoothing: inf cannot be used"),
        (("--max-missing", "40"), "--max-missing: 40 cannot be used; give a whole"),
        (("--duration", "nan"), "--duration: nan cannot be used"),
        (("--size", "0x0"), "--size: 0x0 cannot be used"),
        (("--nonsense",), "unrecognized arguments: --nonsense"),
        (("--json", "no/x.jsonl"), "there is no folder no; correct the path, or make "),
        (("--json", "."), "--json . cannot be written: Is a directory"),
        (("--log", "no/x.log"), "mkdir -p no"),
        (("--timings", "no/x.jsonl"), "mkdir -p no"),
        (("--screenshot", "no/x.png"), "mkdir -p no"),
        (("--record", "no/x.xdf", *CONSENT), "mkdir -p no"),
        (("--record", "there.xdf"), "there.xdf is there already"),
        (("--record", "x.txt"), "give a name ending in .xdf"),
        (("--config", "no.toml"), "no.toml cannot be read"),
        (("--config", "nan.toml"), "nan.toml: eeg.rate"),
        (("--model", "no.safetensors"), "no.safetensors"),
        (("--backend", "abacus"), "abacus"),
        (("--eeg-stream", " "), "--eeg-stream is empty"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_used_is_refused_in_one_line(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.xdf").touch()
    Path("nan.toml").write_text("[eeg]\nrate = nan\n")
    assert cli.main([*NOBODY, *arguments]) == 2
    errors = capsys.readouterr().err
    (refusal,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert said in refusal
    assert "Traceback" not in errors
    assert not Path("no").exists()


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "", "0", "61"])
def test_a_number_is_finite_and_within_its_limits(text: str) -> None:
    with pytest.raises(Exception, match="from 0.5 to 60 seconds"):
        number(0.5, 60, "seconds")(text)
    assert number(0.5, 60)("0.5") == 0.5
    assert whole(0, 26)("26") == 26


def test_collecting_into_a_folder_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sesions"
    collect = ["collect", "no.toml", "--eeg-stream", "x", "--out", str(out)]
    assert cli.main(collect) == 2
    assert f"mkdir -p {out}" in capsys.readouterr().err
    assert not out.exists()


def test_the_line_of_a_prediction_is_of_what_the_model_knows() -> None:
    four = np.array([0.1, 0.2, 0.3, 0.4, np.nan])
    said = {"fused": four, "smoothed": four, "by_modality": {}, "present": ("audio",)}
    times = {"age_s": 0.1, "infer_s": 0.1, "hop_s": 0.5}
    prediction = Prediction(
        t=1.0, states={}, label="happiness", truth=None, **said, **times
    )
    line = as_text(prediction)
    assert line is not None
    assert "happiness  40%" in line
    held = replace(prediction, label="anger", state=State.HELD)
    assert "anger      30%, held" in str(as_text(held))
    open_ = replace(prediction, label=None, state=State.UNDECIDED)
    assert "undecided  40%" in str(as_text(open_))


# A run in which nothing can be predicted


class Silent:
    """A stream of which nothing comes."""

    ring = None
    interpolated: tuple[str, ...] = ()

    def __init__(self, state: StreamState, detail: str = "") -> None:
        self._health = StreamHealth(state, detail=detail)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def health(self, now: float) -> StreamHealth:
        return self._health

    def listen(self, listener: object) -> None: ...


class Speechless:
    """A model that is shown windows with nothing in them."""

    name, backend_name, fusion, demo = "speechless", "", "", True
    knows, card = EMOTIONS, None
    checkpoint = SimpleNamespace(preprocess=PreprocessSettings())

    def recognize(self, raw: RawWindow) -> Recognition:
        return Recognition(None, {}, ())


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session whose microphone is live and without sound, and whose EEG is away."""
    from pylsl import local_clock

    sources = {
        "eeg": Silent(StreamState.LOST, "the sender is gone"),
        "audio": Silent(StreamState.LIVE, "a microphone"),
    }
    session = Session(sources, Speechless(), local_clock, hop=0.02)  # type: ignore[arg-type]
    monkeypatch.setattr(composition, "open_session", lambda *a, **k: session)
    monkeypatch.setattr(session_log, "open_log_file", lambda path: None)
    return session


@pytest.mark.parametrize(
    "window", [("--headless",), pytest.param((), marks=pytest.mark.qt)]
)
def test_a_run_without_a_prediction_says_so_of_every_hop_and_fails(
    window: tuple[str, ...],
    silence: Session,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "said.jsonl"
    run = ["--eeg-stream", "x", "--duration", "0.3", "--json", str(path), *window]
    assert cli.main(run) == 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) >= 3
    for line in lines:
        assert line["fused"] is None
        assert line["states"] == {"eeg": "lost", "audio": "live", "video": "off"}
        assert line["reasons"] == {"eeg": "no data", "audio": "no data", "video": "off"}
    said = capsys.readouterr().err
    assert "Nothing was predicted. " in said
    assert "eeg: lost, the sender is gone; audio: live, no data. " in said
    assert "A window takes 5 s without a gap" in said


@pytest.mark.parametrize(
    "window", [("--headless",), pytest.param((), marks=pytest.mark.qt)]
)
def test_a_session_without_what_it_must_have_is_not_recorded(
    window: tuple[str, ...],
    silence: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("eav_live.recording.guard.WAIT_SECONDS", 0.1)
    monkeypatch.setattr(composition, "session_settings", lambda *a: {})
    preset = tmp_path / "lab.toml"
    preset.write_text('[must]\nstreams = ["eeg", "audio"]\nfree_gb = 1e9\n')
    recording = ["--record", str(tmp_path / "s.xdf"), *CONSENT]
    run = ["--eeg-stream", "x", "--preset", str(preset), "--duration", "0.1"]
    assert cli.main([*run, *recording, *window]) == 2
    said = capsys.readouterr().err
    assert "EEG is lost: the sender is gone. The disk has " in said
    assert "Voice" not in said.partition("error: ")[2]
    assert list(tmp_path.iterdir()) == [preset]
    assert silence.stopped


def test_what_is_there_is_recorded_and_then_looked_through(
    silence: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(composition, "session_settings", lambda *a: {"model": {}})
    preset = tmp_path / "lab.toml"
    preset.write_text('[must]\nstreams = ["audio"]\n')
    recording = ["--record", str(tmp_path / "s.xdf"), *CONSENT, "--headless"]
    run = ["--eeg-stream", "x", "--preset", str(preset), "--duration", "0.2"]
    assert cli.main([*run, *recording]) == 1  # nothing was predicted
    said = capsys.readouterr().err
    assert "s.xdf has 1 fault" in said
    assert "estimates: none in" in said


def test_a_session_without_a_window_says_once_for_whom_the_model_works(
    silence: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = Card(what="x", reads=("audio",), knows=EMOTIONS, shown="nobody yet")
    monkeypatch.setattr(Speechless, "card", card)
    monkeypatch.setattr(Speechless, "demo", False)
    run = ["--eeg-stream", "x", "--duration", "0.1", "--headless", "--json", "-"]
    assert cli.main(run) == 1
    said = capsys.readouterr()
    assert said.err.count("speechless: voice; nobody yet; EEG and face not used") == 1
    assert "nobody yet" not in said.out


def test_a_reader_that_has_gone_ends_the_session_without_a_traceback(
    silence: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Gone:
        def write(self, text: str) -> None:
            raise BrokenPipeError(32, "Broken pipe")

        def close(self) -> None: ...

    monkeypatch.setattr("eav_offline.common.console.open_json", lambda target: Gone())
    assert cli.main(["--eeg-stream", "x", "--headless", "--json", "-"]) == 1
    said = capsys.readouterr().err
    assert said.count("Broken pipe") == 1
    assert "Traceback" not in said


# A display that is named and dead


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    def name(variable: str, value: str) -> None:
        for other in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setattr("sys.platform", "linux")
        monkeypatch.setenv(variable, value)

    return name


@pytest.mark.qt
@pytest.mark.parametrize(
    ("variable", "value"), [("DISPLAY", ":4077"), ("WAYLAND_DISPLAY", "wayland-4077")]
)
def test_a_dead_display_is_noticed_before_qt_aborts(
    dead: Callable[[str, str], None],
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    dead(variable, value)
    screen, trouble = display.find_display()
    assert not screen
    assert trouble.startswith("Qt opens no window")
    # The rest takes that answer, so as not to begin Qt once more.
    monkeypatch.setattr(display, "find_display", lambda: (screen, trouble))
    assert not live._has_display(offscreen_will_do=False)
    assert "Predictions are shown here" in caplog.text
    assert live._has_display(offscreen_will_do=True)
