"""What a run's results.json holds: one model writes it and checks what is read."""

from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from eav_offline.common.errors import explain_faults
from eav_offline.core.labels import EMOTIONS, N_EMOTIONS
from eav_offline.core.window import EEG_CHANNELS

FORMAT = 2  # of results.json
OUTPUTS = ("eeg", "audio", "video", "averaged", "fused")  # the order of every table
SYNTHETIC = "Synthetic people: these figures say nothing of real ones."
OUTPUT_NAMES = {
    "eeg": "EEG",
    "audio": "Audio",
    "video": "Video",
    "averaged": "Averaged",
    "fused": "Fused",
}


# What is told by no signal at all, see `evaluation.no_signal`.
NO_SIGNAL_NAMES = {
    "nearest_trial": "no signal: class of the nearest training trial",
    "drift": "no signal: slow drift of the electrodes",
}


class _Stored(BaseModel):
    # Other versions may have figures that this one does not know, and lack some.
    model_config = ConfigDict(extra="ignore", frozen=True)

    def as_json(self) -> dict[str, Any]:
        """Plain values, of those that were given: what is not known has no key."""
        return self.model_dump(mode="json", exclude_unset=True)


class DecisionScores(_Stored):
    """Figures of decisions; None where they cannot be computed.

    accuracy: share of right ones. balanced_accuracy: mean over the classes of how often
    each is found. macro_f1: mean of the classes' F1.
    """

    accuracy: float
    balanced_accuracy: float | None = None
    macro_f1: float | None = None


class Scores(DecisionScores):
    """Figures of one output on some windows; None where they cannot be computed.

    auc: area under the curve, of each class against the others, averaged. nll: negative
    logarithm of the right class's probability, mean. ece: expected calibration error.
    """

    auc: float | None = None
    nll: float | None = None
    ece: float | None = None


class Reliability(_Stored):
    """The answer of `metrics.reliability`: a number a bin, None where it is empty."""

    confidence: list[float | None]
    accuracy: list[float | None]
    count: list[int]


class OutputScores(Scores):
    """Figures of one output on all test windows of a run.

    nll_scaled, ece_scaled: under the temperature, None without. confusion: (5, 5)
    counts, rows are the truth. interval: of the accuracy (95 %), and interval_unit,
    what was drawn for it (`statistics.accuracy_interval`). trial: of the windows'
    probabilities averaged over each trial. smoothed: of the decisions that the live
    program's smoother takes over each trial's windows, 5 s apart.
    """

    nll_scaled: float | None = None
    ece_scaled: float | None = None
    confusion: list[list[int]]
    interval: list[float] | None = None
    interval_unit: str | None = None
    n_windows: int
    trial_accuracy: float | None = None
    reliability: Reliability | None = None
    trial: Scores | None = None
    smoothed: DecisionScores | None = None

    @field_validator("confusion")
    @classmethod
    def _square(cls, counts: list[list[int]]) -> list[list[int]]:
        if [len(row) for row in counts] != [N_EMOTIONS] * N_EMOTIONS:
            raise ValueError(f"expected {N_EMOTIONS} x {N_EMOTIONS} counts")
        return counts


class SubsetScores(_Stored):
    """Figures of some windows, or of the fused output with some modalities only."""

    accuracy: float | None = None
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    nll: float | None = None
    n_windows: int | None = None


class SubjectScores(_Stored):
    """Figures on one subject's test windows."""

    modalities: dict[str, Scores]
    subsets: dict[str, SubsetScores] = Field(default_factory=dict)
    n_windows: int


class FirstWindows(_Stored):
    """Figures of trials' first windows, where the EEG filter has no context, or not."""

    only: SubsetScores
    without: SubsetScores


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
    fitted_on: str | None = None


class NoSignal(_Stored):
    """What is right without any signal (`evaluation.no_signal`), also by subject."""

    accuracy: float
    by_subject: dict[int, float]


class FusionScores(_Stored):
    """One way to fuse, on all test windows.

    ambt_gains: accuracy of AMBT less that of this way on the same windows, and
    interval, its 95 % interval, paired.
    """

    accuracy: float
    nll: float
    ambt_gains: float
    interval: list[float] | None = None


class ExchangeEffect(_Stored):
    """What swapping a modality between windows does to another's branch.

    logits: root mean square change, in units of the logits' standard deviation.
    decisions: share of the branch's decisions that change.
    """

    logits: float
    decisions: float


class FusionAblation(_Stored):
    """What the exchange between modalities is worth (`evaluation.ablation`).

    ways: by "ambt", "exchange_off", "mean" and, with validation windows, "calibrated".
    interval_unit: what was drawn for the intervals. exchange_matrix: by the swapped
    modality and the branch that hears of it. sentence: what it shows, in words.
    """

    ways: dict[str, FusionScores]
    interval_unit: str | None = None
    exchange_matrix: dict[str, dict[str, ExchangeEffect]] = Field(default_factory=dict)
    sentence: str


class Results(_Stored):
    """What a run got right, and how it came about.

    split: as in split.json. seed: of training. demo: the people are synthetic.
    trial_run: training was cut short. knows: the emotions that the model can tell,
    which all figures are over; n_left_out: test windows of others, which are in none.
    timings: seconds of each stage. members: of an average. device, threads,
    gpu_memory_mb: what trained it. versions: of the libraries. format: of this file.
    n_windows, n_trials: tested. by_subject: figures on each person's windows.
    modalities: of eeg, audio, video (each alone), fused, and averaged (the plain mean
    of those alone), over the windows that have it. subsets: of the fused output by
    subset of modalities, such as "eeg+audio", over the windows that have all of it.
    by_position: accuracy of each output by the window's position in its trial, from 0.
    first_windows: of each output. saliency: of the electrodes, if there is EEG. fusion:
    AMBT beside what would do without it. fuse: how the fused output is made, and why
    so. no_signal: by row, what the time of recording alone gives away.
    """

    split: dict[str, Any] = Field(default_factory=dict)
    seed: int
    demo: bool
    trial_run: bool = False
    knows: tuple[str, ...] = EMOTIONS
    n_left_out: int = 0
    timings: dict[str, float] = Field(default_factory=dict)
    members: list[str] = Field(default_factory=list)
    device: str | None = None
    threads: int | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    gpu_memory_mb: int | None = None
    format: int = FORMAT
    n_windows: int
    n_trials: int | None = None
    modalities: dict[str, OutputScores] = Field(min_length=1)
    subsets: dict[str, SubsetScores] = Field(default_factory=dict)
    by_subject: dict[int, SubjectScores] = Field(min_length=1)
    by_position: dict[str, dict[int, float]] = Field(default_factory=dict)
    first_windows: dict[str, FirstWindows] = Field(default_factory=dict)
    calibration: dict[str, Calibration] = Field(default_factory=dict)
    saliency: Saliency | None = None
    fusion: FusionAblation | None = None
    fuse: str | None = None
    fuse_reason: str | None = None
    no_signal: dict[str, NoSignal] = Field(default_factory=dict)

    @classmethod
    def of(cls, stored: Any) -> "Results":
        """Check what a file holds. Raises ValueError, which says in a line why not."""
        try:
            return cls.model_validate(stored)
        except ValidationError as error:
            raise ValueError(explain_faults(error, cls)) from error

    def with_run(self, **about: Any) -> "Results":
        """The same with what else is known of the run, by the names of fields."""
        return self.model_copy(update=about)
