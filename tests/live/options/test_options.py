"""The options of a session: one set for command line, TOML and Python."""

import os
from pathlib import Path

import pytest

from eav_live.commands import live
from eav_live.options import OptionRefused, SessionOptions
from eav_live.options.config import LiveConfigError
from eav_offline.common.errors import InputRefused


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("hop", 0, "hop = 0 cannot be used; give a number from 0.02 to 60 seconds"),
        ("hop", float("nan"), "hop = nan cannot be used"),
        ("hop", "soon", "hop = 'soon' cannot be used"),
        ("smoothing", True, "smoothing = True cannot be used"),
        ("coverage", 0.85, "coverage = 0.85 cannot be used; give one of 0.8, 0.9"),
        ("max_missing", 27, "max_missing = 27 cannot be used; give a whole number"),
        ("max_missing", 1.5, "max_missing = 1.5"),
        ("eeg_stream", " ", "eeg_stream is empty"),
        ("eeg_stream", 3, "eeg_stream = 3 cannot be used; give text"),
        ("audio", "line", "audio 'line' is unknown; give mic, mic:DEVICE, lsl:NAME"),
        ("video", "file:no.mp4", "video no.mp4: there is no such file"),
        ("video", "lsl:", "video 'lsl:' is unknown"),
        ("model", 7, "model = 7"),
        ("fuse", "vote", "fuse = 'vote' is none of ambt, mean, calibrated"),
        ("demo", "yes", "demo = 'yes' is neither true nor false"),
    ],
)
def test_what_cannot_be_used_is_refused_by_python_and_by_the_file(
    option: str, value: object, said: str, tmp_path: Path
) -> None:
    with pytest.raises(OptionRefused, match=f"^{option} ") as refused:
        SessionOptions(**{option: value})  # type: ignore[arg-type]
    assert said in str(refused.value)
    assert isinstance(refused.value, ValueError)
    path = tmp_path / "live.toml"
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    path.write_text(f"[session]\n{option} = {text}\n")
    with pytest.raises(LiveConfigError) as in_file:
        SessionOptions.from_toml(path)
    assert f"live.toml: session.{said}" in str(in_file.value)


def test_the_file_states_options_and_devices_and_python_wins(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text('[session]\neeg_stream = "A"\nhop = 1\n[eeg]\nbad = ["T7"]\n')
    options = SessionOptions.from_toml(path, hop=0.2)
    assert (options.eeg_stream, options.hop) == ("A", 0.2)
    assert options.config.eeg.bad == ("T7",)
    assert options.audio == SessionOptions().audio
    with pytest.raises(OptionRefused, match="^audio 'x' is unknown"):
        SessionOptions.from_toml(path, audio="x")
    path.write_text("[session]\nhopp = 1\n")
    with pytest.raises(LiveConfigError, match=r"session\.hopp; did you mean hop\?"):
        SessionOptions.from_toml(path)
    path.write_text("session = 1\n")
    with pytest.raises(LiveConfigError, match=r"write \[session\]"):
        SessionOptions.from_toml(path)


def test_the_command_line_makes_the_same_options(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text('[session]\neeg_stream = "A"\nhop = 1\nvideo = "none"\n')
    words = ["--config", str(path), "--hop", "0.2", "--max-missing", "2"]
    given = live.session_options(live.parser("").parse_args(words))
    assert given == SessionOptions(eeg_stream="A", hop=0.2, video="none", max_missing=2)
    bare = live.session_options(live.parser("").parse_args([]))
    assert bare == SessionOptions()
    wrong = live.parser("").parse_args(["--config", str(path), "--audio", "line"])
    with pytest.raises(InputRefused, match="^--audio 'line' is unknown"):
        live.session_options(wrong)


def test_no_eeg_is_needed_unless_a_model_or_a_stream_is_named() -> None:
    assert SessionOptions().with_eeg_decided().eeg_stream == "none"
    assert SessionOptions(eeg_stream="A").with_eeg_decided().eeg_stream == "A"
    assert SessionOptions(model="m").with_eeg_decided().eeg_stream is None
    assert SessionOptions(demo=True).with_eeg_decided().demo


def test_the_demo_leaves_out_the_streams_that_are_none_and_replaces_others() -> None:
    asked = SessionOptions(demo=True, eeg_stream="A", audio="none")
    name = f"EAV-Demo-{os.getpid()}"
    assert (asked.eeg_stream, asked.audio) == (name, "none")
    assert asked.video == f"lsl:{name}-Video"
    assert asked.to_toml() == '[session]\naudio = "none"\ndemo = true\n'
    blind = SessionOptions(demo=True, eeg_stream="none")
    assert blind.with_eeg_decided().eeg_stream == "none"
