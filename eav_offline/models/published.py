"""Classifiers of faces and voices that others published, run by `transformers`.

They stand in the place of their modality's encoder. What is kept of a frame are the
logits of their own classes; the head makes those of ours. `transformers` is imported
when the first of them is made: it takes seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from eav_offline.common.errors import InputRefused
from eav_offline.config import PublishedConfig
from eav_offline.core.labels import EMOTIONS
from eav_offline.models.baselines.networks import PlainEncoder
from eav_offline.preprocess import WAVE

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# By modality: `model_type` of a config.json -> what `transformers` calls the class.
CLASSES = {
    "video": {"vit": "ViTForImageClassification"},
    "audio": {
        "wav2vec2": "Wav2Vec2ForSequenceClassification",
        "hubert": "HubertForSequenceClassification",
    },
}
_PICTURES_AT_ONCE = 50  # two windows; more would not be faster
_LEAST_VARIANCE = 1e-7  # of sound, as `Wav2Vec2FeatureExtractor` has it


class Counted(nn.Module):
    """Logits of published classes (..., n) -> of ours (..., 5).

    Probabilities of classes that count as the same emotion add up, and what is left
    out goes to the others in proportion: the softmax sees to that. An emotion that no
    class counts as has minus infinity.
    """

    def __init__(self, classes: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        counted = [emotion for _, emotion in classes]
        self.places = tuple(
            [i for i, one in enumerate(counted) if one == emotion]
            for emotion in EMOTIONS
        )

    def forward(self, x: Tensor) -> Tensor:
        nothing = torch.full_like(x[..., 0], -torch.inf)
        ours = [x[..., p].logsumexp(-1) if p else nothing for p in self.places]
        return torch.stack(ours, dim=-1)


class PublishedFace(PlainEncoder):
    """(B, frames, side, side, 3) uint8 RGB -> logits, averaged over frames.

    Frames do not see each other. Crops have the side that the network wants.
    """

    by_frame = True

    def __init__(self, config: PublishedConfig) -> None:
        super().__init__()
        if config.picture is None:
            raise ValueError(f"{config.source}: how it wants pictures is not stated")
        self.picture = config.picture
        self.dim = self.n_features = len(config.classes)
        self.network = empty_network("video", config.network)
        self.head = nn.Sequential(Counted(config.classes))

    @property
    def n_tokens(self) -> int:
        return (self.picture.side // self.network.config.patch_size) ** 2 + 1

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, frames, side, side, 3), 0-255 -> (B, frames, 1, n_classes)."""
        pictures = x.flatten(0, 1).permute(0, 3, 1, 2)
        logits = [
            self.network(self._scaled(some)).logits
            for some in pictures.split(_PICTURES_AT_ONCE)
        ]
        return torch.cat(logits).reshape(*x.shape[:2], 1, self.n_features)

    def _scaled(self, pictures: Tensor) -> Tensor:
        """(N, 3, side, side) 0-255 -> as the network wants them."""
        mean, deviation = (
            torch.tensor(three, device=pictures.device)[:, None, None]
            for three in (self.picture.mean, self.picture.deviation)
        )
        return (pictures * self.picture.scale - mean) / deviation


class PublishedVoice(PlainEncoder):
    """(B, 80000) sound at 16 kHz, five seconds without padding -> logits."""

    reads = WAVE

    def __init__(self, config: PublishedConfig) -> None:
        super().__init__()
        self.standardized = config.standardized
        self.dim = self.n_features = len(config.classes)
        self.network = empty_network("audio", config.network)
        self.head = nn.Sequential(Counted(config.classes))

    def below_fusion(self, x: Tensor) -> Tensor:
        """(B, 80000) -> (B, 1, 1, n_classes)."""
        if self.standardized:
            variance, mean = torch.var_mean(x, 1, keepdim=True, correction=0)
            x = (x - mean) / (variance + _LEAST_VARIANCE).sqrt()
        return self.network(x).logits[:, None, None]


_BUILD: dict[str, Callable[[PublishedConfig], PlainEncoder]] = {
    "video": PublishedFace,
    "audio": PublishedVoice,
}


def published_encoder(modality: str, config: PublishedConfig) -> PlainEncoder:
    """The classifier that a configuration describes, its weights still to come.

    Raises InputRefused without `transformers`, ValueError for a network it is not.
    """
    return _BUILD[modality](config)


def network_class(modality: str, model_type: object) -> "type[PreTrainedModel]":
    """The class of `transformers` for a `model_type`. Raises as `published_encoder`."""
    known = CLASSES[modality]
    if model_type not in known:
        raise ValueError(f"{model_type!r} is none of {', '.join(known)}")
    try:
        import transformers
    except ImportError as error:
        raise InputRefused(
            "models of the hub are run by the package transformers, which is not "
            "installed; install it with: pip install 'eav-live[hub]'"
        ) from error
    found: type[PreTrainedModel] = getattr(transformers, known[str(model_type)])
    return found


def empty_network(modality: str, described: Mapping[str, Any]) -> "PreTrainedModel":
    """A network of `transformers` on the device "meta": no memory, nothing drawn.

    described: its config.json. Raises as `published_encoder`.
    """
    kind: Any = network_class(modality, described.get("model_type"))
    from huggingface_hub.errors import StrictDataclassError

    try:
        config = kind.config_class.from_dict(dict(described))
        with torch.device("meta"):
            network: PreTrainedModel = kind(config)
            return network
    except StrictDataclassError as error:
        raise ValueError(str(error)) from error
