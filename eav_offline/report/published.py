"""Accuracies that others have published for EAV, as their sources give them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One line of the table: percent of five classes, as text; empty if not given."""

    source: str
    protocol: str
    eeg: str = ""
    audio: str = ""
    video: str = ""
    fused: str = ""
    note: str = ""


WARNING = (
    "Most published accuracies are those of the best epoch on the test set, which "
    "inflates them by 5.3 to 7.5 points. Figures of this report come from models whose "
    "epoch was fixed beforehand or chosen on validation trials."
)

_WITHIN = "within subject, 280 / 120 windows"
_NEW = "new person"
_RERUN = "Audited re-run of EAV"

PUBLISHED = (
    Published(
        "Lee et al., Scientific Data 11:1026 (2024)",
        _WITHIN,
        eeg="60.0",
        audio="61.9",
        video="71.4",
        note="video with ViViT: 74.5",
    ),
    Published(
        "arXiv 2411.00822 (per-subject table)",
        _WITHIN,
        eeg="53.5 ± 10.9",
        audio="58.2 ± 10.2",
        video="67.2 ± 8.5",
        fused="70.9 ± 8.9",
    ),
    Published(
        "arXiv 2601.22161",
        _WITHIN,
        eeg="67.6",
        audio="65.6",
        video="75.3",
        note="frequency features; delta MFCC; ViT pretrained on faces",
    ),
    Published(
        "AMBT, Expert Systems with Applications (2026)",
        _WITHIN,
        fused="85.1",
        note="how the epoch was chosen is not known",
    ),
    Published(
        f"{_RERUN}, no selection on test",
        _WITHIN,
        eeg="43.9",
        audio="57.1",
        video="74.6",
        fused="80.0",
        note="learned fusion; plain mean of probabilities: 77.5",
    ),
    Published(
        f"{_RERUN}, same group",
        f"{_NEW}, nothing known of them",
        audio="57.5",
        video="41.2",
        fused="62.2",
        note="plain mean; learned fusion: 57.6 to 58.8",
    ),
    Published(
        f"{_RERUN}, same group",
        f"{_NEW}, 20 to 50 unlabelled clips",
        eeg="+9 to 14",
        audio="+9 to 14",
        video="+9 to 14",
        fused="74 to 76",
        note="standardised per person; single modalities as points gained",
    ),
    Published(
        f"{_RERUN}, same group",
        f"{_NEW}, 50 labelled clips (4 min)",
        fused="81.9",
        note="attention and modality dropout; plain mean: 77.2",
    ),
    Published(
        "Capstone audit of EAV",
        f"{_NEW}, whole 20 s trials, 7 folds x 3 seeds",
        eeg="45.3 ± 0.9",
        audio="62.8 ± 1.5",
        fused="67.0 ± 1.1",
        note="plain mean; the spread is over seeds",
    ),
)
