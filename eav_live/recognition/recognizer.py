"""From a raw window to probabilities, computing only what the last windows did not.

Exact: crops by picture, log-mel columns by the sound itself, and everything of a frame
that does not depend on the other frames (`eav_offline.models.sliding`) are kept; all
else is computed anew in every window.

Networks and features of EEG or sound answer through `Recognizer` itself. Embeddings of
faces do not, because their spread over a window is no mean over frames, nor do
averages.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eav_offline.backends import Backend, EagerBackend
from eav_offline.checkpoint import file as checkpoints
from eav_offline.checkpoint.card import Card
from eav_offline.checkpoint.file import Checkpoint
from eav_offline.checkpoint.sharing import find_checkpoint, push, save_folder
from eav_offline.common.errors import InputRefused
from eav_offline.core.labels import MODALITIES, mark_unknown
from eav_offline.core.sureness import Sureness
from eav_offline.core.window import RawWindow
from eav_offline.data.recording import window_of_arrays
from eav_offline.models.ambt import Fusing
from eav_offline.models.average import Average
from eav_offline.models.baselines.classifiers import FaceEmbeddings
from eav_offline.models.personal import Personal
from eav_offline.models.sliding import FrameStates
from eav_offline.personal.adaptation import Adaptation
from eav_offline.preprocess import RECORDINGS, Inputs, PreparationMemory, prepare


@dataclass(frozen=True)
class Recognition:
    """Probabilities (5,) of one window; None where a modality was absent.

    NaN for the emotions that the model does not know; the others sum to 1.
    present: the modalities that took part. features: by modality, (n,), what the
    model's own heads read; of those that can be adapted. adapting: while adapting, what
    `Adaptation.as_json` said of the layer that this was made with.
    """

    fused: np.ndarray | None
    by_modality: dict[str, np.ndarray | None]
    present: tuple[str, ...]
    features: dict[str, np.ndarray] = field(default_factory=dict)
    adapting: dict[str, Any] | None = None

    @property
    def adapted(self) -> bool:
        """Whether a layer made it that follows the person without labels."""
        return self.adapting is not None and bool(self.adapting["applies"])


class Recognizer:
    """A loaded checkpoint that recognizes one window at a time.

    One session's windows belong to one recognizer. backend: computes the model, by
    default PyTorch as it is. remember: keep what the next window may need; without,
    every window is computed from nothing.
    """

    takes_backends = True  # whether backends compute this kind of model

    def __init__(
        self,
        checkpoint: checkpoints.Checkpoint,
        name: str,
        backend: Backend | None = None,
        remember: bool = True,
    ) -> None:
        self.checkpoint = checkpoint
        self.name = name
        self.backend = backend or EagerBackend(checkpoint.model)
        self.remember = remember
        self.adaptation: Adaptation | None = None
        self._frozen: bool | None = None  # asked for, from the next window on
        self._undo = False
        self._memory = PreparationMemory()
        self._frames = _Memory()
        self._next: Backend | None = None
        self._fused_otherwise = False

    @staticmethod
    def load(
        path: Path | str, device: str = "cpu", adapting: bool = False
    ) -> "Recognizer":
        """The recognizer of whatever model a checkpoint holds.

        path: a checkpoint, or the folder of a training run. adapting: adapt to the
        person as windows come, see `adapt`. Raises CheckpointError if
        it does not fit this program. One that was trained on the dataset's released
        features does not: live windows cannot be filtered and cropped as those were.
        """
        path = Path(path)
        checkpoint = checkpoints.load(path, device)
        if checkpoint.preprocess.origin != RECORDINGS:
            raise checkpoints.CheckpointError(
                f"{path} was trained on features as EAV's authors released them (EEG "
                "filtered to 0.5-45 Hz over whole sessions, faces cropped by another "
                "tracker), and live windows are made otherwise; train on a cache that "
                "`eav-offline prepare` makes of recordings"
            )
        found = _special(checkpoint, path.stem) or Recognizer(checkpoint, path.stem)
        if adapting:
            found.adapt()
        return found

    @staticmethod
    def from_pretrained(
        source: Path | str, device: str = "cpu", adapting: bool = False
    ) -> "Recognizer":
        """As `load`, of a folder or file here or of a model on the Hugging Face hub.

        source: a path, or owner/name there, which is downloaded once. Raises
        InputRefused if it is neither, or the hub does not give it.
        """
        found = Recognizer.load(find_checkpoint(source), device, adapting)
        found.name = Path(source).name
        return found

    def save_pretrained(self, folder: Path | str) -> None:
        """Write what `from_pretrained` reads: the checkpoint, and its card to read."""
        save_folder(self._as_saved(), Path(folder), self.name)

    def push_to_hub(
        self, model: str, private: bool = True, token: str | None = None
    ) -> str:
        """Upload the checkpoint and its card to the Hugging Face hub.

        model: owner/name there. private: seen by its owner alone, if it is new. token:
        None for the one of `hf auth login`. Returns the address of its page. Raises
        InputRefused for a model of one person or without a card, or if it is not taken.
        """
        return push(self._as_saved(), model, self.name, private, token)

    def _as_saved(self) -> Checkpoint:
        # Thresholds hold for the fusing that they were made with alone.
        return replace(self.checkpoint, sureness=self.sureness)

    def adapt(self) -> None:
        """Adapt to the person from the next window on, without labels.

        Raises InputRefused if the checkpoint lacks what that takes.
        """
        self.adaptation = Adaptation(self.checkpoint)

    def freeze(self, frozen: bool = True) -> None:
        """Adapt no further from the next window on, or again; from any thread."""
        self._frozen = frozen

    def undo(self) -> None:
        """Answer as the checkpoint says from the next window on, and adapt anew."""
        self._undo = True

    @property
    def personal(self) -> Personal | None:
        """The layer for this person that is in force, if there is one."""
        mine = self.checkpoint.model.personal
        return mine if self.adaptation is None else self.adaptation.personal or mine

    def use(self, backend: Backend) -> None:
        """Compute with another backend from the next window on; from any thread."""
        self._next = backend

    @property
    def backend_name(self) -> str:
        """What computes the model just now, such as "eager"."""
        return self.backend.name

    @property
    def fusion(self) -> str:
        """How the fused answer is made: "ambt", "mean" or "calibrated"."""
        return self._fusing.how

    @property
    def temperatures(self) -> Mapping[str, float]:
        """By modality, what calibrates the logits of its answer; empty if unknown."""
        return self._fusing.temperatures

    @property
    def _fusing(self) -> Fusing:
        fusing = self.checkpoint.model.fusing
        return fusing if self.personal is None else self.personal.fusing(fusing)

    def fuse(self, how: str) -> None:
        """Fuse otherwise than the checkpoint says, before the first window.

        how: one of `FUSINGS`. Raises InputRefused if the model has not what it takes.
        """
        model = self.checkpoint.model
        self._fused_otherwise = how != model.fusing.how
        if how == "ambt" and model.personal is not None:
            raise InputRefused(
                f"{self.name} is adapted to a person, whose modalities are averaged; "
                "take mean, or the model that it was made of"
            )
        if how == "ambt" and model.ambt is None:
            raise InputRefused(
                f"{self.name} has no AMBT to fuse by; take mean, or train all stages"
            )
        try:
            model.fusing = replace(model.fusing, how=how, reason="asked for")
        except ValueError as error:
            raise InputRefused(f"{self.name}: {error}") from error
        self.backend.fusing = model.fusing

    @property
    def knows(self) -> tuple[str, ...]:
        """The emotions that the model can tell, in the order of `EMOTIONS`."""
        return self.checkpoint.knows

    @property
    def sureness(self) -> Sureness | None:
        """Its thresholds; None if there are none for how it fuses."""
        return None if self._fused_otherwise else self.checkpoint.sureness

    @property
    def card(self) -> Card | None:
        """What is to be known of the model; None if its checkpoint does not say."""
        return self.checkpoint.card

    @property
    def demo(self) -> bool:
        """Whether the checkpoint knows synthetic people only."""
        return self.checkpoint.demo

    def recognize(self, raw: RawWindow, learn: bool = True) -> Recognition:
        """Prepare and recognize one window. learn: as for `recognize_inputs`."""
        memory = self._memory if self.remember else None
        reads = self.checkpoint.modalities  # the others need no preparing
        raw = replace(
            raw,
            eeg_uv=raw.eeg_uv if "eeg" in reads else None,
            audio=raw.audio if "audio" in reads else None,
            frames=raw.frames if "video" in reads else None,
        )
        inputs = prepare(raw, self.checkpoint.preprocess, memory)
        return self.recognize_inputs(inputs, raw.t_end, learn)

    def predict(
        self,
        *,
        eeg: np.ndarray | None = None,
        eeg_rate: float | None = None,
        audio: np.ndarray | None = None,
        audio_rate: float | None = None,
        frames: np.ndarray | None = None,
        frame_times: np.ndarray | None = None,
    ) -> Recognition:
        """Recognize the newest five seconds of plain arrays that end together.

        eeg: (30, n) µV in the order of `EEG_CHANNELS`, at `eeg_rate` Hz, 125 or more.
        audio: (n,) floats in [-1, 1] at `audio_rate` Hz. frames: (n, height, width, 3)
        uint8 RGB, taken at `frame_times` (n,), ascending seconds of any clock. Each
        needs five seconds; what comes before helps, ten seconds of EEG to settle the
        filter and frames to find the face. Any of the three may be left out.

        Raises ArrayRefused, a ValueError, for what cannot be used.

        >>> import numpy as np
        >>> from eav_live import Recognizer
        >>> from eav_live.recognition.assets import asset
        >>> recognizer = Recognizer.load(asset("demo.safetensors"))
        >>> eeg = np.random.default_rng(0).normal(0, 20, (30, 7500))
        >>> recognized = recognizer.predict(eeg=eeg, eeg_rate=500)
        >>> recognized.present, recognized.fused.shape
        (('eeg',), (5,))
        """
        raw = window_of_arrays(eeg, eeg_rate, audio, audio_rate, frames, frame_times)
        return self.recognize_inputs(prepare(raw, self.checkpoint.preprocess))

    def recognize_inputs(
        self, inputs: Inputs, t: float | None = None, learn: bool = True
    ) -> Recognition:
        """Recognize what `prepare` returned.

        t: the window's end, seconds; while adapting, windows that overlap the last one
        that was learned from are not. learn: whether this one may be.
        """
        adaptation = self._asked_for() if learn else None
        personal = self.personal
        said = self._recognized(_aligned(inputs, personal))
        told = said if personal is None else self._as_of(personal, said)
        if adaptation is None:
            return told
        about = adaptation.as_json()
        adaptation.feed(said.features, inputs.eeg, t)
        return replace(told, adapting=about)

    def _asked_for(self) -> Adaptation | None:
        """The adaptation, after what was asked for since the last window."""
        if self.adaptation is not None:
            if self._undo:
                self.adaptation.reset()
            if self._frozen is not None:
                self.adaptation.freeze(self._frozen)
        self._undo, self._frozen = False, None
        return self.adaptation

    def _as_of(self, personal: Personal, said: Recognition) -> Recognition:
        """What a personal layer makes of a window."""
        there = {m: p for m, p in said.by_modality.items() if p is not None}
        logits = {m: torch.from_numpy(np.nan_to_num(p)).log() for m, p in there.items()}
        for m in personal.heads.keys() & said.features.keys() & logits.keys():
            features = torch.from_numpy(said.features[m])
            logits[m] = personal.logits(m, features).double()
        if not logits:
            return said
        alone = {m: self._chances(x) for m, x in logits.items()}
        here = torch.tensor([[m in logits for m in MODALITIES]])
        fusing = personal.fusing(self.checkpoint.model.fusing)
        rows = {m: x[None] for m, x in logits.items()}
        fused = self._chances(fusing.average(rows, here)[0])
        nothing: dict[str, np.ndarray | None] = dict.fromkeys(MODALITIES)
        return replace(said, fused=fused, by_modality=nothing | alone)

    def _recognized(self, inputs: Inputs) -> Recognition:
        """What the model says of a window without any layer for a person."""
        if self._next is not None:
            self.backend, self._next = self._next, None
            self._frames = _Memory()
        encoders, encode = self.checkpoint.model.by_modality, self.backend.encode
        states = {
            m: self._video(part) if m == "video" else encode(m, part[None])
            for m, encoder in encoders.items()
            if (part := inputs.part(encoder.part(m))) is not None
        }
        alone = {
            m: self._chances(states[m].logits.mean(0)) if m in states else None
            for m in MODALITIES
        }
        present = tuple(m for m in MODALITIES if alone[m] is not None)
        if not present:
            return Recognition(None, alone, ())
        fused = self._chances(self.backend.fuse(states, present))
        features = {m: _array(states[m].features.mean(0)) for m in present}
        return Recognition(fused, alone, present, features)

    def _chances(self, logits: torch.Tensor) -> np.ndarray | None:
        """(5,) float64, or None if they are no numbers."""
        chances = logits.float().softmax(0).cpu().numpy().astype(np.float64)
        if not np.isfinite(chances).all():
            return None
        return mark_unknown(chances, self.knows)

    def _video(self, faces: np.ndarray) -> FrameStates:
        if not self.remember:
            return self.backend.encode("video", faces)

        def encode(new: np.ndarray) -> tuple[torch.Tensor, ...]:
            states = self.backend.encode("video", new)
            return tuple(vars(states).values())

        return FrameStates(*self._frames.computed(faces, encode))


class _Memory:
    """What was computed of the last window's face crops, found by their content."""

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[torch.Tensor, ...]] = {}

    def computed(
        self,
        faces: np.ndarray,
        compute: Callable[[np.ndarray], tuple[torch.Tensor, ...]],
    ) -> tuple[torch.Tensor, ...]:
        """faces: (n, side, side, 3) uint8. compute: tensors (n, ...) of new ones."""
        keys = [face.tobytes() for face in faces]
        new = {key: i for i, key in enumerate(keys) if key not in self._rows}
        if new:
            parts = compute(faces[list(new.values())])
            for row, key in enumerate(new):
                # Copies: a row must not keep the whole batch it came with.
                self._rows[key] = tuple(part[row].clone() for part in parts)
        self._rows = {key: self._rows[key] for key in keys}
        rows = [self._rows[key] for key in keys]
        return tuple(torch.stack(part) for part in zip(*rows, strict=True))


class BaselineRecognizer(Recognizer):
    """A recognizer whose model is computed as it is: backends know transformers."""

    takes_backends = False


class FaceRecognizer(BaselineRecognizer):
    """A classifier of face embeddings; a picture seen before is not embedded again."""

    def __init__(self, checkpoint: Checkpoint, name: str) -> None:
        super().__init__(checkpoint, name)
        encoder = checkpoint.model.by_modality["video"]
        assert isinstance(encoder, FaceEmbeddings)
        self._encoder = encoder
        self._known = _Memory()

    @torch.inference_mode()
    def _recognized(self, inputs: Inputs) -> Recognition:
        if inputs.faces is None:
            return Recognition(None, dict.fromkeys(MODALITIES), ())
        vectors = self._encoder.over_frames(self._embedded(inputs.faces))
        known = self.checkpoint.model.known
        chances = self._chances(known(self._encoder.classifier(vectors)[0]))
        alone = {m: chances if m == "video" else None for m in MODALITIES}
        return Recognition(chances, alone, ("video",), {"video": _array(vectors[0])})

    def _embedded(self, faces: np.ndarray) -> torch.Tensor:
        """(25, side, side, 3) uint8 -> (1, 25, n)."""

        def embed(new: np.ndarray) -> tuple[torch.Tensor]:
            x = torch.from_numpy(new)[None].to(self._encoder.vit.positions.device)
            return (self._encoder.embeddings(x)[0],)

        return self._known.computed(faces, embed)[0][None]


class AverageRecognizer(BaselineRecognizer):
    """The mean of what several recognizers say of a window."""

    def __init__(self, checkpoint: Checkpoint, name: str) -> None:
        super().__init__(checkpoint, name)
        model = checkpoint.model
        assert isinstance(model, Average)
        self._model = model
        self._members = []
        for i, config in enumerate(checkpoint.member_configs):
            member = Checkpoint(
                model.recognizers[i],
                config,
                checkpoint.preprocess,
                checkpoint.demo,
                meta=checkpoint.meta,
            )
            label = f"{name} {i}"
            self._members.append(_special(member, label) or Recognizer(member, label))

    def _recognized(self, inputs: Inputs) -> Recognition:
        members = [member.recognize_inputs(inputs) for member in self._members]
        said = [
            _output(member, output)
            for member, output in zip(members, self._model.outputs, strict=True)
        ]
        features = {
            m: x
            for m, i in self._model.sole().items()
            if (x := members[i].features.get(m)) is not None
        }
        alone = {
            m: _mean([x for i, x in enumerate(said) if self._model.reads(i) == (m,)])
            for m in MODALITIES
        }
        heard = {
            m for i, x in enumerate(said) if x is not None for m in self._model.reads(i)
        }
        present = tuple(m for m in inputs.present if m in heard)
        return Recognition(_mean(said), alone, present, features)


def _special(checkpoint: Checkpoint, name: str) -> Recognizer | None:
    model = checkpoint.model
    if isinstance(model, Average):
        return AverageRecognizer(checkpoint, name)
    if isinstance(model.by_modality.get("video"), FaceEmbeddings):
        return FaceRecognizer(checkpoint, name)
    if checkpoint.config.baseline is not None:
        return BaselineRecognizer(checkpoint, name)
    return None


def _aligned(inputs: Inputs, personal: Personal | None) -> Inputs:
    if personal is None or inputs.eeg is None:
        return inputs
    return replace(inputs, eeg=personal.aligned(torch.from_numpy(inputs.eeg)).numpy())


def _array(features: torch.Tensor) -> np.ndarray:
    return features.float().cpu().numpy()


def _output(said: Recognition, output: str) -> np.ndarray | None:
    if output == "fused":
        return said.fused
    if output == "averaged":
        return _mean(list(said.by_modality.values()))
    return said.by_modality[output]


def _mean(chances: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """(5,) of those that are there, None if none is."""
    there = [x for x in chances if x is not None]
    return np.mean(there, axis=0) if there else None
