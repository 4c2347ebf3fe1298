"""What the site's reference is generated from: docstrings and pydantic models."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "hooks"))

import models  # noqa: E402
from meanings import meanings  # noqa: E402


def test_a_docstring_is_taken_apart_by_the_names_it_speaks_of() -> None:
    docstring = """What it does.

        low, high: the range, in
            hertz. seed: of the drawing; see rate: it is no name here.

        Raises ValueError if low: is above high.
        """

    rest, said = meanings(docstring, ["low", "high", "seed"])

    assert rest == "What it does.\n\nRaises ValueError if low: is above high."
    assert said == {
        "low, high": "the range, in hertz.",
        "seed": "of the drawing; see rate: it is no name here.",
    }


def test_the_table_of_a_model_has_meaning_type_limits_and_default() -> None:
    text = models.live_configuration()
    eeg, audio = text.split("### `eeg`")[1].split("### `audio`")[:2]

    # The meaning is that of the class above, whose docstring says it.
    delay = "from an event to the time that the device stamps it with; subtracted."
    for section in (eeg, audio):
        row = f"| `delay_ms` | {delay} | number, ≥ -1000, ≤ 1000 | `0.0` |"
        assert row in section
    assert (
        "| `line_hz` | mains frequency; None finds it. | one of `50`, `60` or null"
        in eeg
    )


def test_every_key_of_a_session_and_of_training_is_explained() -> None:
    text = models.live_configuration() + models.training_configuration()

    unsaid = [row for row in text.splitlines() if "` |  |" in row]

    # Tables of keys that follow, and the form's text, which the section is about.
    assert [row for row in unsaid if "see below" not in row] == [
        "| `text` |  | text | see the shipped file |"
    ]


def test_models_that_stand_in_several_places_are_told_once() -> None:
    text = models.training_configuration()

    assert "### `train.eeg`, `train.audio`, `train.video`, `train.ambt`" in text
    assert text.count("| `accumulate` |") == 1
