"""Accuracies that others have published for EAV, as their sources give them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One line of the table: percent of five classes, as text; empty if not given.

    address: where the figures can be read; what has none is no reference.
    """

    source: str
    address: str
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

PUBLISHED = (
    Published(
        "Lee et al., Scientific Data 11:1026 (2024)",
        "https://doi.org/10.1038/s41597-024-03838-4",
        _WITHIN,
        eeg="60.0",
        audio="61.9",
        video="71.4",
        note="video with ViViT: 74.5",
    ),
    Published(
        "arXiv 2411.00822 (per-subject table)",
        "https://arxiv.org/abs/2411.00822",
        _WITHIN,
        eeg="53.5 ± 10.9",
        audio="58.2 ± 10.2",
        video="67.2 ± 8.5",
        fused="70.9 ± 8.9",
    ),
    Published(
        "arXiv 2601.22161",
        "https://arxiv.org/abs/2601.22161",
        _WITHIN,
        eeg="67.6",
        audio="65.6",
        video="75.3",
        note="frequency features; delta MFCC; ViT pretrained on faces",
    ),
    Published(
        "AMBT, README of its repository BCI_software (2026)",
        "https://github.com/minholee2087/BCI_software",
        _WITHIN,
        fused="85.1",
        note="how the epoch was chosen is not known",
    ),
    Published(
        "Audit of EAV, MSE-CAPSTONE-PROJECT at 4d0e050 (not peer-reviewed)",
        "https://github.com/ttuan8600/MSE-CAPSTONE-PROJECT/blob/4d0e050/docs/"
        "CHANGELOG.md",
        "new person, whole 20 s trials, 7 folds x 3 seeds",
        eeg="45.3 ± 0.9",
        audio="62.8 ± 1.5",
        fused="67.0 ± 1.1",
        note="plain mean; the spread is over seeds",
    ),
)
