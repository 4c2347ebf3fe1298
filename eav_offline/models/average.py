"""The mean of what several recognizers say, as a recognizer."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from eav_offline.core.labels import MODALITIES, N_EMOTIONS
from eav_offline.models import Batch, EmotionModel
from eav_offline.models.ambt import Fusing
from eav_offline.models.layers import Encoder

OUTPUTS = (*MODALITIES, "averaged", "fused")  # of a member, that can be averaged


class Average(EmotionModel):
    """Mean of probabilities over members; a member that lacks its input is left out.

    outputs: for each member which of its answers counts: one modality's, the plain
    mean of its modalities ("averaged"), or the fused one. Logits are logarithms of the
    mean. Raises ValueError if a member has no such output, or knows other emotions.
    """

    decides_alone = False

    def __init__(self, members: Sequence[EmotionModel], outputs: Sequence[str]) -> None:
        nn.Module.__init__(self)
        for member, output in zip(members, outputs, strict=True):
            if output not in (*member.by_modality, "averaged", "fused"):
                raise ValueError(
                    f"a member knows {', '.join(member.by_modality)}, not {output}"
                )
        if len({member.knows for member in members}) > 1:
            told = "; ".join(", ".join(member.knows) for member in members)
            raise ValueError(
                f"the members know different emotions ({told}); average those that "
                "know the same"
            )
        self.members = nn.ModuleList(members)
        self.known = members[0].known
        self.outputs = tuple(outputs)
        self.ambt = None
        self.fusing = Fusing("mean")

    @property
    def recognizers(self) -> tuple[EmotionModel, ...]:
        """The members."""
        return tuple(self.members)  # type: ignore[arg-type]

    @property
    def by_modality(self) -> dict[str, Encoder]:
        """Of each modality that counts, the encoder that takes most memory."""
        found: dict[str, Encoder] = {}
        for m, encoder in self._counted():
            if m not in found or encoder.n_tokens > found[m].n_tokens:
                found[m] = encoder
        return {m: found[m] for m in MODALITIES if m in found}

    @property
    def parts_read(self) -> tuple[str, ...]:
        """Names of the parts of a batch that some member that counts reads."""
        return tuple(dict.fromkeys(e.part(m) for m, e in self._counted()))

    def reads(self, member: int) -> tuple[str, ...]:
        """The modalities that a member's answer is of."""
        output = self.outputs[member]
        if output in MODALITIES:
            return (output,)
        return tuple(self.recognizers[member].by_modality)

    def states(self, batch: Batch) -> dict[str, Tensor]:
        """Each member's states, by its number and the modality: "0/eeg"."""
        batch = self.aligned(batch)
        return {
            f"{i}/{m}": x
            for i, member in enumerate(self.recognizers)
            for m, x in member.states(batch).items()
        }

    def heads(self) -> dict[str, nn.Module]:
        """Of the modalities that exactly one member reads, and by itself."""
        members = self.recognizers
        found = {m: members[i].heads().get(m) for m, i in self.sole().items()}
        return {m: head for m, head in found.items() if head is not None}

    def features(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What those heads read, (B, n_features)."""
        found: dict[str, Tensor] = {}
        for m, i in self.sole().items():
            if f"{i}/{m}" in states:
                found |= self.recognizers[i].features({m: states[f"{i}/{m}"]})
        return found

    def sole(self) -> dict[str, int]:
        """The member that alone reads a modality alone, where there is one."""
        read = [self.reads(i) for i in range(len(self.outputs))]
        readers = {m: [i for i, of in enumerate(read) if m in of] for m in MODALITIES}
        return {
            m: them[0]
            for m, them in readers.items()
            if len(them) == 1 and read[them[0]] == (m,)
        }

    def alone(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Log probabilities (B, 5) of each modality, by members that read it alone."""
        alone = self._own(states)
        if self.personal is None:
            return alone
        features = self.features(states)
        mine = {m: x for m, x in features.items() if m in self.personal.heads}
        return alone | {m: self.personal.logits(m, x) for m, x in mine.items()}

    def _own(self, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found: dict[str, list[Tensor]] = {}
        for i, member in enumerate(self.recognizers):
            modalities = self.reads(i)
            mine = _of(states, i)
            if len(modalities) == 1 and modalities[0] in mine:
                logits = member.alone({m: mine[m] for m in modalities})
                found.setdefault(modalities[0], []).append(
                    logits[modalities[0]].softmax(1)
                )
        return {m: _log_mean(found[m]) for m in MODALITIES if m in found}

    def fused(
        self,
        states: Mapping[str, Tensor],
        present: Tensor,
        alone: Mapping[str, Tensor] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Log probabilities (B, 5) of the mean, and those of each modality alone."""
        if self.personal is not None and states:
            alone = dict(alone) if alone is not None else self.alone(states)
            return self.personal.fusing(self.fusing).average(alone, present), alone
        chances = [
            self._member(i, _of(states, i), present) for i in range(len(self.members))
        ]
        alone = dict(alone) if alone is not None else self.alone(states)
        return _log_mean(chances), alone

    def _counted(self) -> Iterator[tuple[str, Encoder]]:
        """The members' encoders of modalities that their answers are of."""
        for member, output in zip(self.recognizers, self.outputs, strict=True):
            for m, encoder in member.by_modality.items():
                if output in ("averaged", "fused", m):
                    yield m, encoder

    def _member(self, i: int, states: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """Probabilities (B, 5) of a member's output, NaN where it has none."""
        member, output = self.recognizers[i], self.outputs[i]
        if output == "fused":
            return member.fused(states, present)[0].to(present.device).softmax(1)
        logits = member.alone(states)
        known = (output,) if output in MODALITIES else tuple(member.by_modality)
        parts = [
            logits[m]
            .softmax(1)
            .masked_fill(~present[:, MODALITIES.index(m), None], torch.nan)
            for m in known
            if m in logits
        ]
        if not parts:
            shape = (len(present), N_EMOTIONS)
            return torch.full(shape, torch.nan, device=present.device)
        return torch.stack(parts).nanmean(0)


def _of(states: Mapping[str, Tensor], member: int) -> dict[str, Tensor]:
    start = f"{member}/"
    return {k.removeprefix(start): x for k, x in states.items() if k.startswith(start)}


def _log_mean(chances: Sequence[Tensor]) -> Tensor:
    """Logarithm of the mean of those that are numbers, (B, 5)."""
    return torch.stack(list(chances)).float().nanmean(0).log()
