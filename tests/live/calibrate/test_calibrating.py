"""A calibration without a window: recorded, fitted, kept, killed, taken up again."""

import subprocess
import sys
from pathlib import Path

import pytest
from cued_person import CODE, CuedPerson, calibration, pass_time

from eav_live.calibrate.running import Calibrating, Stage
from eav_live.demo import asset

CLIPS = 10
MODEL = "demo.safetensors"
pytestmark = pytest.mark.timeout(240)


def run_on(cued: CuedPerson, calibrating: Calibrating) -> None:
    pass_time(cued, calibrating, lambda: calibrating.stage is Stage.ANSWER)


def test_a_model_is_made_of_what_was_cued(
    synthetic_subject: Path, tmp_path: Path
) -> None:
    cued = CuedPerson(synthetic_subject)
    calibrating = calibration(cued, tmp_path, CLIPS, asset(MODEL))
    assert calibrating.found == ""
    assert not list(tmp_path.iterdir())  # before the person agrees
    calibrating.agree()
    run_on(cued, calibrating)
    assert calibrating.error == ""
    made = calibrating.result
    assert made is not None
    assert made.n_clips == CLIPS
    assert set(made.by_modality) == {"eeg", "audio"}
    assert calibrating.person.model is None  # nobody has answered
    calibrating.keep()
    assert calibrating.person.model == tmp_path / CODE / f"{CODE}.safetensors"
    assert calibrating.person.unanswered is None
