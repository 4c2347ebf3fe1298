"""A recorded session as a part of a BIDS dataset, by mne-bids: EEG as BrainVision.

    sub-P01/ses-01/eeg/         EEG, events (trials and markers), channels, electrodes
    sourcedata/sub-P01/ses-01/  voice and face, if they are asked for and were agreed to
    sourcedata/sub-P01/EXPORTED.json  whose it is, for `eav-live forget`

The layout: https://bids-specification.readthedocs.io. Calendar dates are left out.
"""

import csv
import json
import logging
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile

from eav_offline.common.errors import InputRefused, with_extras
from eav_offline.common.files import (
    as_object,
    file_digest,
    package_versions,
    private_files,
    write_atomically,
)
from eav_offline.data.dataset import EXPORTED_FILE
from eav_offline.data.sessions.raw import mne_raw
from eav_offline.data.sessions.session import (
    SessionFile,
    eeg_stretches,
    on_one_grid,
    read_session,
    stretches,
)

if TYPE_CHECKING:
    from mne_bids import BIDSPath

log = logging.getLogger(__name__)

TASK = "emotions"
_DESCRIPTION = "dataset_description.json"
_NOTICE = (
    "Recorded by EAV-Live with the consent of the person, whose data these are: EEG, "
    "voice and face can tell who somebody is. Pass on only what the consent covers. "
    "The emotions of trials are those that were asked for; they say of nobody what he "
    "or she felt."
)
_SYNTHETIC = "A synthetic person: nothing here is of anybody who exists."
_POSITIONS = "Of the 10-05 system on a standard head; they were not measured."


@dataclass(frozen=True)
class BidsExport:
    """What became of a recording. subject, session: their labels in the dataset.

    n_events: rows of events.tsv. media: files of voice and face.
    """

    root: Path
    subject: str
    session: str
    n_events: int
    media: tuple[Path, ...]


@private_files()
def export_bids(recording: Path, root: Path, media: bool = False) -> BidsExport:
    """Add a recording to the BIDS dataset `root`, which may be new.

    media: voice (WAV) and the kept frames, too. What is new there is readable by its
    owner only. Raises InputRefused if the recording
    does not say whose it is, is in the dataset already, holds no EEG, or if `media` was
    not agreed to; if `root` is no BIDS dataset; or without mne-bids.
    """
    with with_extras():
        import mne_bids
        import pybv  # noqa: F401  writes BrainVision for it

    session = read_session(recording)
    subject = _label(session)
    if media:
        _require_consent(session)
    entry = _Ledger(root, subject, session)
    raw = mne_raw(session, estimates=False)
    raw.set_meas_date(None)
    raw.info["line_freq"] = _eeg_settings(session).get("line_hz")
    place = mne_bids.BIDSPath(
        subject=subject, session=entry.number, task=TASK, datatype="eeg", root=root
    )
    _describe_dataset(root)
    entry.write()  # first of all, so that even a part can be forgotten
    try:
        with _quiet():
            made = mne_bids.write_raw_bids(
                raw, place, format="BrainVision", allow_preload=True, readme=False
            )
            _describe_recording(made, session)
        files = tuple(_write_media(session, entry.folder, made)) if media else ()
    except BaseException:
        entry.take_back()
        raise
    return BidsExport(root, subject, entry.number, len(raw.annotations), files)


def _label(session: SessionFile) -> str:
    """The person's code as BIDS allows it: letters and digits."""
    if session.person is None:
        raise InputRefused(
            f"{session.file.path} does not say whose it is, and a BIDS dataset is "
            "sorted by people; give a recording of eav-live --record or collect"
        )
    return re.sub(r"[^A-Za-z0-9]", "", session.person)


def _require_consent(session: SessionFile) -> None:
    """Raise InputRefused unless the person agreed to every modality there is."""
    consent = json.loads(session.file.said("eav_consent"))
    words = {"audio": "voice", "video": "face"}
    recorded = [word for m, word in words.items() if session.openings[m]]
    refused = [word for word in recorded if word not in consent.get("what", ())]
    if refused:
        raise InputRefused(
            f"{session.file.path}: the consent does not name {' and '.join(refused)}; "
            "leave --media out"
        )


class _Ledger:
    """What of a person is in the dataset: written down so that it can be forgotten."""

    def __init__(self, root: Path, subject: str, session: SessionFile) -> None:
        """Find the number of the next session. Raises InputRefused."""
        if root.exists() and any(root.iterdir()) and not (root / _DESCRIPTION).exists():
            raise InputRefused(
                f"{root} holds other things and no BIDS dataset ({_DESCRIPTION}); give "
                "a folder that is new, empty or one"
            )
        folder = root / "sourcedata" / f"sub-{subject}"
        self._subject = root / f"sub-{subject}"
        self._path = folder / EXPORTED_FILE
        self._content: dict[str, Any] = {"person": session.person, "exported": {}}
        if self._path.exists():
            self._content = json.loads(self._path.read_text(encoding="utf-8"))
        if self._content["person"] != session.person:
            raise InputRefused(
                f"{root}: sub-{subject} is {self._content['person']!r} already, and "
                f"{session.person!r} would have the same label; give another folder"
            )
        path = session.file.path
        digest = file_digest(path)
        for number, known in self._content["exported"].items():
            if known["sha256"] == digest:
                raise InputRefused(f"{path} is in {root} already, as ses-{number}")
        self.number = f"{len(self._content['exported']) + 1:02d}"
        self.folder = folder / f"ses-{self.number}"
        entry = {"recording": path.name, "sha256": digest}
        self._content["exported"][self.number] = entry

    def write(self) -> None:
        """Write the file and make the folder of the session beside it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self._content, indent=2) + "\n")

    def take_back(self) -> None:
        """Delete what was written of the session, and say no more that it is there."""
        for folder in (self.folder, self._subject / f"ses-{self.number}"):
            shutil.rmtree(folder, ignore_errors=True)
        del self._content["exported"][self.number]
        self.write()


def _describe_dataset(root: Path) -> None:
    """What the dataset is, unless it says so already."""
    import mne_bids

    if (root / _DESCRIPTION).exists():
        return
    root.mkdir(parents=True, exist_ok=True)
    version = package_versions()["eav-live"]
    with _quiet():
        mne_bids.make_dataset_description(
            path=root,
            name="Recordings of EAV-Live",
            generated_by=[{"Name": "EAV-Live", "Version": version}],
        )
    (root / "README").write_text(f"{_NOTICE}\n", encoding="utf-8")


def _describe_recording(made: "BIDSPath", session: SessionFile) -> None:
    """What mne-bids cannot know: reference, notice, where positions are from."""
    import mne_bids

    said = _eeg_settings(session).get("reference")
    about = {
        # The one key for free words that validators let pass.
        "TaskDescription": _SYNTHETIC if session.synthetic else _NOTICE,
        "EEGReference": said or "n/a",
        "Manufacturer": "n/a",  # it would say the inventor of the file format
    }
    sidecar = made.copy().update(suffix="eeg", extension=".json")
    mne_bids.update_sidecar_json(sidecar, about, verbose="error")
    (positions,) = made.directory.glob("*_coordsystem.json")
    system = json.loads(positions.read_text(encoding="utf-8"))
    system["EEGCoordinateSystemDescription"] = _POSITIONS
    positions.write_text(json.dumps(system, indent=4) + "\n", encoding="utf-8")


def _eeg_settings(session: SessionFile) -> dict[str, Any]:
    return as_object(as_object(session.settings.get("config")).get("eeg"))


def _write_media(
    session: SessionFile, folder: Path, made: "BIDSPath"
) -> Iterator[Path]:
    """Voice as one WAV file, frames as they were kept, with times as of the events."""
    stem = made.basename.removesuffix("_eeg.vhdr").removesuffix("_eeg")
    start = float(eeg_stretches(session.openings["eeg"])[0].times[0])
    sound = [s for opening in session.openings["audio"] for s in stretches(opening)]
    if sound:
        name = session.file.path.name
        mono, _ = on_one_grid(sound, f"{name}: the sound")
        path = folder / f"{stem}_audio.wav"
        soundfile.write(path, mono[:, 0], round(sound[0].rate), subtype="FLOAT")
        about = {"StartTime": float(sound[0].times[0]) - start}
        path.with_suffix(".json").write_text(json.dumps(about) + "\n", "utf-8")
        yield path
    for part, opening in enumerate(session.openings["video"], 1):
        kept = session.file.path.with_name(Path(opening.stream.said("file")).name)
        if not kept.is_file():
            log.warning("%s is not there, and so not in the dataset", kept)
            continue
        path = folder / f"{stem}_part-{part}_video.mkv"
        shutil.copyfile(kept, path)
        with path.with_suffix(".tsv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow(["frame", "onset"])
            frames = opening.values[:, 0].astype(int).tolist()
            onsets = (opening.stamps - start).round(6).tolist()
            table.writerows(zip(frames, onsets, strict=True))
        yield path


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from the terminal what mne-bids says of its own doing."""
    import mne

    with mne.use_log_level("ERROR"), warnings.catch_warnings():
        # That the data were converted, which is what it is for; that no HED is given.
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
