"""Arousal, dominance and valence as published models estimate them.

They stand beside the classes, and nothing is computed from them.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from eav_offline.checkpoint.experts.building import fitted, published_config
from eav_offline.checkpoint.experts.finding import SPEECH_REGRESSION, Expert
from eav_offline.checkpoint.hub import WeightsError
from eav_offline.core.window import RawWindow
from eav_offline.models.published import network_class, published_encoder
from eav_offline.preprocess import PreparationMemory, PreprocessSettings, prepare


class DimensionReader:
    """What one published model estimates of each window.

    modality: what it reads. names: of its dimensions. Raises WeightsError if its
    weights are damaged or do not fit what its config.json says; InputRefused without
    `transformers`.
    """

    def __init__(self, expert: Expert) -> None:
        """expert: of `find_dimensions`, its weights fetched."""
        self.modality = expert.modality
        self.names = tuple(name for name, _ in expert.classes)
        config = published_config(expert)
        try:
            encoder: Any = published_encoder(self.modality, config)
            encoder.network = fitted(expert, _kind(expert))
        except (RuntimeError, ValueError, TypeError, LookupError) as error:
            raise WeightsError(
                f"{expert.source}: its weights do not fit what its config.json says "
                f"({error}); fetch both again, or give another model"
            ) from error
        self._encoder = encoder.eval()
        side = PreprocessSettings.face_size
        self._settings = PreprocessSettings(
            face_size=side if config.picture is None else config.picture.side
        ).making([encoder.part(self.modality)])
        self._memory = PreparationMemory()

    @torch.inference_mode()
    def read(self, raw: RawWindow) -> dict[str, float] | None:
        """Each dimension from 0 to 1; None if the window lacks what it reads."""
        voice = self.modality == "audio"
        mine = RawWindow(
            raw.t_end,
            None,
            0.0,
            raw.audio if voice else None,
            raw.audio_rate,
            None if voice else raw.frames,
        )
        inputs = prepare(mine, self._settings, self._memory)
        part = inputs.part(self._encoder.part(self.modality))
        if part is None:
            return None
        answers = self._encoder.below_fusion(torch.from_numpy(part)[None].float())
        values = answers.flatten(0, -2).mean(0).clamp(0, 1).double().tolist()
        return dict(zip(self.names, values, strict=True))


def _kind(expert: Expert) -> Any:
    if SPEECH_REGRESSION in (expert.config.get("architectures") or ()):
        return speech_regression()
    return network_class(expert.modality, expert.config["model_type"])


def speech_regression() -> Any:
    """A class of `transformers`: wav2vec 2.0, its mean over time, two layers.

    As estimators of a voice's dimensions are published that bring this class along as
    code of their own, which is not run.
    """
    network_class("audio", "wav2vec2")  # or say that transformers is missing
    import transformers

    class Head(nn.Module):
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.dense = nn.Linear(config.hidden_size, config.hidden_size)
            self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

        def forward(self, x: Tensor) -> Tensor:
            answers: Tensor = self.out_proj(torch.tanh(self.dense(x)))
            return answers

    class SpeechRegression(transformers.Wav2Vec2PreTrainedModel):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.wav2vec2 = transformers.Wav2Vec2Model(config)
            self.classifier = Head(config)
            self.post_init()

        def forward(self, input_values: Tensor) -> SimpleNamespace:
            heard = self.wav2vec2(input_values)[0].mean(dim=1)
            return SimpleNamespace(logits=self.classifier(heard))

    return SpeechRegression
