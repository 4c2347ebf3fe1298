"""Recognizers of checkpoints that are no transformers, and the choice among them.

Networks and features of EEG or sound answer through `Recognizer` itself. Embeddings of
faces do not, because their spread over a window is no mean over frames, nor do
averages.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from eav_live.recognition.recognizer import Recognised, Recognizer
from eav_offline.checkpoint import Checkpoint
from eav_offline.core.labels import MODALITIES
from eav_offline.models.average import Average
from eav_offline.models.baselines.classifiers import FaceEmbeddings
from eav_offline.preprocess import Inputs


def load_recognizer(path: Path, device: str = "cpu") -> Recognizer:
    """The recognizer of whatever model a checkpoint holds.

    Raises CheckpointError as `Recognizer.load` does.
    """
    plain = Recognizer.load(path, device)
    return _special(plain.checkpoint, plain.name) or plain


class BaselineRecognizer(Recognizer):
    """A recognizer whose model is computed as it is: backends know transformers."""


class FaceRecognizer(BaselineRecognizer):
    """A classifier of face embeddings; a picture seen before is not embedded again."""

    def __init__(self, checkpoint: Checkpoint, name: str) -> None:
        super().__init__(checkpoint, name)
        encoder = checkpoint.model.by_modality["video"]
        assert isinstance(encoder, FaceEmbeddings)
        self._encoder = encoder
        self._known: dict[bytes, torch.Tensor] = {}

    @torch.inference_mode()
    def recognise_inputs(self, inputs: Inputs) -> Recognised:
        """Recognise what `prepare` returned."""
        if inputs.faces is None:
            return Recognised(None, dict.fromkeys(MODALITIES), ())
        vectors = self._encoder.over_frames(self._embedded(inputs.faces))
        logits = self._encoder.classifier(vectors)[0].float()
        chances = logits.softmax(0).cpu().numpy().astype(np.float64)
        alone = {m: chances if m == "video" else None for m in MODALITIES}
        return Recognised(chances, alone, ("video",))

    def _embedded(self, faces: np.ndarray) -> torch.Tensor:
        """(25, side, side, 3) uint8 -> (1, 25, n)."""
        keys = [face.tobytes() for face in faces]
        new = {key: i for i, key in enumerate(keys) if key not in self._known}
        if new:
            x = torch.from_numpy(faces[list(new.values())])[None]
            found = self._encoder.embeddings(x.to(self._encoder.vit.positions.device))
            self._known |= dict(zip(new, found[0].unbind(), strict=True))
        self._known = {key: self._known[key] for key in keys}
        return torch.stack([self._known[key] for key in keys])[None]


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
                model.recognisers[i],
                config,
                checkpoint.preprocess,
                checkpoint.demo,
                meta=checkpoint.meta,
            )
            label = f"{name} {i}"
            self._members.append(_special(member, label) or Recognizer(member, label))

    def recognise_inputs(self, inputs: Inputs) -> Recognised:
        """Recognise what `prepare` returned."""
        said = [
            _output(member.recognise_inputs(inputs), output)
            for member, output in zip(self._members, self._model.outputs, strict=True)
        ]
        alone = {
            m: _mean([x for i, x in enumerate(said) if self._model.reads(i) == (m,)])
            for m in MODALITIES
        }
        heard = {
            m for i, x in enumerate(said) if x is not None for m in self._model.reads(i)
        }
        present = tuple(m for m in inputs.present if m in heard)
        return Recognised(_mean(said), alone, present)


def _special(checkpoint: Checkpoint, name: str) -> Recognizer | None:
    model = checkpoint.model
    if isinstance(model, Average):
        return AverageRecognizer(checkpoint, name)
    if isinstance(model.by_modality.get("video"), FaceEmbeddings):
        return FaceRecognizer(checkpoint, name)
    if checkpoint.config.baseline is not None:
        return BaselineRecognizer(checkpoint, name)
    return None


def _output(said: Recognised, output: str) -> np.ndarray | None:
    if output == "fused":
        return said.fused
    if output == "averaged":
        return _mean(list(said.by_modality.values()))
    return said.by_modality[output]


def _mean(chances: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """(5,) of those that are there, None if none is."""
    there = [x for x in chances if x is not None]
    return np.mean(there, axis=0) if there else None
