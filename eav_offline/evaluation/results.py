"""What a run's results.json must hold for a report, checked where it is read."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from eav_offline.core.labels import N_EMOTIONS
from eav_offline.core.window import EEG_CHANNELS

RESULTS_FORMAT = 2
OUTPUTS = ("eeg", "audio", "video", "averaged", "fused")  # the order of every table
OUTPUT_NAMES = {
    "eeg": "EEG",
    "audio": "Audio",
    "video": "Video",
    "averaged": "Averaged",
    "fused": "Fused",
}


class _Stored(BaseModel):
    # Later versions may add figures; a report needs only those it knows.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Scores(_Stored):
    """Figures of one output on some windows; None where they cannot be computed."""

    accuracy: float
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    auc: float | None = None
    nll: float | None = None
    ece: float | None = None


class OutputScores(Scores):
    """Figures of one output on all test windows of a run.

    confusion: (5, 5) counts, rows are the truth.
    """

    n_windows: int
    confusion: list[list[int]]

    @field_validator("confusion")
    @classmethod
    def _square(cls, counts: list[list[int]]) -> list[list[int]]:
        if [len(row) for row in counts] != [N_EMOTIONS] * N_EMOTIONS:
            raise ValueError(f"expected {N_EMOTIONS} x {N_EMOTIONS} counts")
        return counts


class SubsetScores(_Stored):
    """Figures of the fused output with some modalities only."""

    accuracy: float | None = None


class SubjectScores(_Stored):
    """Figures on one subject's test windows."""

    modalities: dict[str, Scores]
    subsets: dict[str, SubsetScores] = Field(default_factory=dict)
    n_windows: int

    @field_validator("subsets", mode="before")
    @classmethod
    def _plain(cls, subsets: Any) -> Any:
        """A bare number is an accuracy."""
        if not isinstance(subsets, dict):
            return subsets
        return {
            name: value if isinstance(value, dict) else {"accuracy": value}
            for name, value in subsets.items()
        }


class Saliency(_Stored):
    """How much the EEG logits hang on each electrode; shares that sum to 1."""

    electrodes: list[float]
    channels: list[str]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        unknown = set(self.channels) - set(EEG_CHANNELS)
        if unknown or len(self.channels) != len(self.electrodes):
            raise ValueError("expected a share for each of EAV's electrodes")
        return self


class Calibration(_Stored):
    """The temperature of one output, None where it could not be fitted."""

    temperature: float | None = Field(None, gt=0)


class Results(_Stored):
    """The part of results.json that a report reads."""

    n_windows: int
    seed: int
    demo: bool
    modalities: dict[str, OutputScores] = Field(min_length=1)
    by_subject: dict[int, SubjectScores] = Field(min_length=1)
    saliency: Saliency | None = None
    calibration: dict[str, Calibration] = Field(default_factory=dict)
    timings: dict[str, float] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    device: str | None = None
