"""The encoders and AMBT: who hears of whom, absence, shapes."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from planted import SIDE, planted_subject, tiny_config
from torch import Tensor, nn

from eav_offline.cli import main
from eav_offline.config import Config, ModelConfig, load_config
from eav_offline.core.labels import MODALITIES
from eav_offline.data.window_set import window_set
from eav_offline.models import Batch, EmotionModel, collate, predict
from eav_offline.models.encoders import EegEncoder
from eav_offline.models.parameters import build_empty, count, describe
from eav_offline.preprocess import Inputs

pytestmark = pytest.mark.numeric

VARIANTS = ("mean", "concat")
PHASES = ("head", "all")
REPOSITORY = Path(__file__).resolve().parents[3]
PAPER_FILE = REPOSITORY / "configs" / "paper.toml"


def build(
    variant: str = "mean", fusion: bool = True, config: ModelConfig | None = None
) -> EmotionModel:
    torch.manual_seed(0)
    config = config or tiny_config(variant).model
    model = EmotionModel(config, MODALITIES, fusion)
    with torch.no_grad():  # heads start at zero, which would hide every influence
        for name, parameter in model.named_parameters():
            if "head" in name:
                parameter.normal_(std=0.1)
    return model.eval()


def a_batch(n: int = 2) -> Batch:
    return window_set([planted_subject(4)]).batch(np.arange(n))


def inputs_of(*present: str) -> Inputs:
    one = planted_subject(1)
    return Inputs(
        eeg=one.eeg[0] if "eeg" in present else None,
        log_mel=one.log_mel[0] if "audio" in present else None,
        faces=one.faces[0] if "video" in present else None,
        face_found=np.ones(25, dtype=bool) if "video" in present else None,
    )


def influences(model: EmotionModel) -> dict[tuple[str, str], float]:
    """Largest gradient of each branch's fused logits by each modality's states."""
    batch = a_batch()
    states = {m: x.detach() for m, x in model.states(batch).items()}
    for x in states.values():
        x.requires_grad_(True)
    _, branches = model.fused(states, batch.present)
    found = {}
    for m in MODALITIES:
        slopes = torch.autograd.grad(
            branches[m][:, 0].sum(), list(states.values()), retain_graph=True
        )
        for source, slope in zip(states, slopes, strict=True):
            found[m, source] = float(slope.abs().max())
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_modality_reaches_the_logits_of_every_other(variant: str) -> None:
    assert all(slope > 0 for slope in influences(build(variant)).values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_changing_the_eeg_moves_audio_and_video_logits_and_the_reverse(
    variant: str,
) -> None:
    # In double precision: untrained adapters whisper.
    model, batch = build(variant).double(), wide(a_batch())
    with torch.no_grad():
        _, before = model.fused(model.states(batch), batch.present)
    for changed in MODALITIES:
        parts = {**batch.parts, changed: batch.parts[changed].flip(2)}
        with torch.no_grad():
            _, after = model.fused(
                model.states(Batch(parts, batch.present)), batch.present
            )
        for heard in MODALITIES:
            assert not torch.equal(before[heard], after[heard]), (changed, heard)


def test_a_modality_alone_knows_nothing_of_the_others() -> None:
    model, batch = build(), a_batch()
    before = model.alone(model.states(batch))
    parts = {**batch.parts, "eeg": batch.parts["eeg"].flip(2)}
    after = model.alone(model.states(Batch(parts, batch.present)))
    torch.testing.assert_close(before["audio"], after["audio"])
    assert not torch.allclose(before["eeg"], after["eeg"])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("absent", MODALITIES)
def test_content_of_an_absent_modality_is_ignored(variant: str, absent: str) -> None:
    model, batch = build(variant), a_batch()
    present = batch.present.clone()
    present[0, MODALITIES.index(absent)] = False  # row 1 keeps all three
    parts = dict(batch.parts)
    parts[absent] = parts[absent].clone()
    parts[absent][0] = 255 if absent == "video" else torch.nan
    with torch.no_grad():
        expected, _ = model.fused(model.states(Batch(batch.parts, present)), present)
        found, _ = model.fused(model.states(Batch(parts, present)), present)
        everything, _ = model.fused(model.states(batch), batch.present)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found[0], everything[0])
    torch.testing.assert_close(found[1], everything[1])


@pytest.mark.parametrize("absent", MODALITIES)
def test_leaving_a_modality_out_of_the_batch_equals_marking_it_absent(
    absent: str,
) -> None:
    model, batch = build(), a_batch()
    present = batch.present.clone()
    present[:, MODALITIES.index(absent)] = False
    parts = {m: x for m, x in batch.parts.items() if m != absent}
    with torch.no_grad():
        all_states = model.states(batch)
        marked, _ = model.fused(all_states, present)
        left_out, _ = model.fused(model.states(Batch(parts, present)), present)
    torch.testing.assert_close(left_out, marked)


@pytest.mark.parametrize("absent", MODALITIES)
def test_the_absent_state_stands_for_a_missing_modality(absent: str) -> None:
    model, batch = build(), a_batch()
    present = batch.present.clone()
    present[0, MODALITIES.index(absent)] = False  # row 1 keeps all three
    states = model.states(batch)
    assert model.ambt is not None
    with torch.no_grad():
        _, before = model.fused(states, present)
        model.ambt.exchanges[0].absent[absent] += 1.0
        _, after = model.fused(states, present)
    for heard in set(MODALITIES) - {absent}:
        assert not torch.equal(before[heard][0], after[heard][0]), heard
        torch.testing.assert_close(before[heard][1], after[heard][1])


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_absent_state_is_learned(variant: str) -> None:
    model, batch = build(variant), a_batch()
    present = batch.present.clone()
    present[:, 1] = False
    fused, _ = model.fused(model.states(batch), present)
    fused.sum().backward()
    assert model.ambt is not None
    absent = model.ambt.exchanges[0].absent
    assert absent["audio"].grad.abs().max() > 0
    assert absent["eeg"].grad is None or absent["eeg"].grad.abs().max() == 0


@pytest.mark.parametrize(
    "present", [s for k in range(4) for s in combinations(MODALITIES, k)]
)
def test_any_subset_in_a_batch_of_one_is_recognized(present: tuple[str, ...]) -> None:
    said = predict(build(), [inputs_of(*present)])
    assert said.fused.shape == (1, 5)
    for m in MODALITIES:
        assert np.isnan(said.by_modality[m]).all() == (m not in present)
        if m in present:
            np.testing.assert_allclose(said.by_modality[m].sum(), 1, rtol=1e-5)
    if present:
        np.testing.assert_allclose(said.fused.sum(), 1, rtol=1e-5)
    else:
        assert np.isnan(said.fused).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_batch_of_one_trains(variant: str) -> None:
    model, batch = build(variant).train(), a_batch(1)
    states = model.states(batch)
    fused, _ = model.fused(states, batch.present)
    loss = fused.square().sum()
    loss = loss + sum(x.square().sum() for x in model.alone(states).values())
    loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.isfinite(parameter.grad).all(), name
    assert fused.shape == (1, 5)
    assert model.ambt is not None
    assert model.ambt.state.grad is not None
    assert model.ambt.state.grad.abs().max() > 0


def test_a_mixed_batch_says_what_its_windows_say_alone() -> None:
    model = build()
    windows = [inputs_of("eeg"), inputs_of("audio", "video"), inputs_of(*MODALITIES)]
    together = predict(model, windows)
    for i, window in enumerate(windows):
        alone = predict(model, [window])
        np.testing.assert_allclose(together.fused[i], alone.fused[0], atol=1e-5)
        for m in MODALITIES:
            np.testing.assert_allclose(
                together.by_modality[m][i], alone.by_modality[m][0], atol=1e-5
            )


def test_fused_logits_are_the_mean_over_the_modalities_present() -> None:
    model, batch = build(), a_batch()
    present = batch.present.clone()
    present[0, 0] = False
    fused, branches = model.fused(model.states(batch), present)
    torch.testing.assert_close(fused[0], (branches["audio"] + branches["video"])[0] / 2)
    torch.testing.assert_close(fused[1], sum(branches.values())[1] / 3)


def test_mean_keeps_one_width_and_concat_joins_token_k_of_every_modality() -> None:
    reduced = [torch.full((1, 2, 3), float(i)) for i in range(3)]
    reduced = [r + torch.tensor([0.0, 10.0])[:, None] for r in reduced]
    mean = build("mean").ambt
    concat = build("concat").ambt
    assert mean is not None
    assert concat is not None
    assert mean.state.shape == (1, 2, 12)
    assert concat.state.shape == (1, 2, 36)
    mixed = mean.exchanges[0].mix(reduced)
    assert mixed.tolist() == [[[1.0] * 3, [11.0] * 3]]
    mixed = concat.exchanges[0].mix(reduced)
    assert mixed[0, 0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert mixed[0, 1].tolist() == [10, 10, 10, 11, 11, 11, 12, 12, 12]


def test_mean_and_concat_differ_only_in_the_width_of_the_state() -> None:
    mean, concat = build("mean").ambt, build("concat").ambt
    assert mean is not None
    assert concat is not None
    one = {name: tuple(x.shape) for name, x in mean.named_parameters()}
    other = {name: tuple(x.shape) for name, x in concat.named_parameters()}
    assert one.keys() == other.keys()
    for name, shape in one.items():
        of_state = "expand" in name or name.startswith("readout.hidden")
        if name == "state" or (of_state and name.endswith("weight")):
            assert other[name] == (*shape[:-1], 3 * shape[-1])
        else:
            assert other[name] == shape


def test_concat_with_equal_thirds_is_mean() -> None:
    # A concat whose expanders weigh every modality by a third is AMBT-Mean.
    mean, concat = build("mean"), build("concat")
    assert mean.ambt is not None
    assert concat.ambt is not None
    weights = mean.ambt.state_dict()
    for name in weights:
        if name == "state":
            weights[name] = weights[name].repeat(1, 1, 3)
        elif "expand" in name and name.endswith("weight"):
            weights[name] = weights[name].repeat(1, 3) / 3
        elif name == "readout.hidden.weight":  # token by token
            by_token = weights[name].unflatten(1, (2, -1))
            weights[name] = by_token.repeat(1, 1, 3).flatten(1) / 3
    concat.ambt.load_state_dict(weights)
    concat.encoders.load_state_dict(mean.encoders.state_dict())
    batch = a_batch()
    with torch.no_grad():
        one, _ = mean.fused(mean.states(batch), batch.present)
        other, _ = concat.fused(concat.states(batch), batch.present)
    torch.testing.assert_close(other, one)


def loud(variant: str, layers: int) -> EmotionModel:
    """In double precision, with adapters that speak up: as drawn they whisper."""
    config = tiny_config(variant).model
    fusion = config.fusion.model_copy(update={"layers": layers})
    model = build(config=config.model_copy(update={"fusion": fusion}))
    assert model.ambt is not None
    with torch.no_grad():
        for name, parameter in model.ambt.named_parameters():
            adapter = parameter.ndim > 1 and "heads" not in name
            parameter.normal_(std=0.5 if adapter else 0.1)
    return model.double()


def wide(batch: Batch) -> Batch:
    """The same in double precision."""
    parts = {m: x.double() if m != "video" else x for m, x in batch.parts.items()}
    return Batch(parts, batch.present)


def exchange_by_hand(
    model: EmotionModel, window: dict[str, Tensor], present: dict[str, bool]
) -> dict[str, Tensor]:
    """Logits (5,) by modality of one window's states (frames, tokens, dim).

    AMBT as it is published, a frame at a time: each layer's state replaces the one
    before, and what a modality tells is the mean of what its frames tell.
    """
    ambt = model.ambt
    assert ambt is not None
    state = ambt.state[0]  # (bottleneck tokens, width)
    own = {m: list(frames) for m, frames in window.items()}
    for layer, exchange in enumerate(ambt.exchanges):
        said = {}
        for m in MODALITIES:
            encoder = model.by_modality[m]
            block = encoder.fusion_blocks[layer]
            asked = exchange.expand[m](state).relu()
            after = [block(torch.cat([x, asked])[None])[0] for x in own[m]]
            n_own = len(own[m][0])
            own[m] = [x[:n_own] for x in after]
            if layer == len(ambt.exchanges) - 1:
                continue
            messages = []
            for frame, x in zip(own[m], after, strict=True):
                read = encoder.features(frame[None]).expand(len(asked), -1)
                messages.append(torch.cat([x[n_own:], read], dim=1))
            heard = sum(messages) / len(messages)
            if m == "video":
                square = sum((x - heard) ** 2 for x in messages) / len(messages)
                heard = torch.cat([heard, (square + 1e-6).log() / 2], dim=1)
            heard = (heard - exchange.scale[m].mean) / exchange.scale[m].deviation
            said[m] = exchange.reduce[m](heard).relu()
        if layer == len(ambt.exchanges) - 1:
            break
        reduced = [
            said[m] if present[m] else exchange.absent[m].relu() for m in MODALITIES
        ]
        state = torch.cat(reduced, 1) if exchange.concat else sum(reduced) / 3
    read = torch.nn.functional.gelu(ambt.readout.hidden(state.flatten()))
    gains = ambt.readout.gain(read).clamp(-4, 2).exp()
    shifts = ambt.readout.shift(read).reshape(3, 5)
    return {
        m: gains[i]
        * sum(ambt.heads[m](model.by_modality[m].features(x[None]))[0] for x in own[m])
        / len(own[m])
        + shifts[i]
        for i, m in enumerate(MODALITIES)
    }


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layers", [2, 3])
def test_the_exchange_is_the_published_one_frame_by_frame(
    variant: str, layers: int
) -> None:
    model, batch = loud(variant, layers), wide(a_batch())
    present = batch.present.clone()
    present[1, 1] = False
    with torch.no_grad():
        states = model.states(batch)
        _, branches = model.fused(states, present)
        for row in range(2):
            here = dict(zip(MODALITIES, present[row].tolist(), strict=True))
            window = {m: x[row] for m, x in states.items()}
            by_hand = exchange_by_hand(model, window, here)
            for m in MODALITIES:
                if here[m]:  # what differs is the order of sums
                    torch.testing.assert_close(
                        branches[m][row], by_hand[m], atol=1e-10, rtol=1e-10
                    )


def test_every_frame_is_heard_by_the_other_modalities_and_none_comes_first() -> None:
    model, batch = loud("mean", 2), wide(a_batch(1))
    with torch.no_grad():
        states = model.states(batch)
        _, before = model.fused(states, batch.present)
        for frame in (0, 12, 24):
            changed = states["video"].clone()
            changed[:, frame] = changed[:, frame].flip(2)
            _, after = model.fused({**states, "video": changed}, batch.present)
            assert (after["eeg"] - before["eeg"]).abs().max() > 1e-8, frame
        backward = {**states, "video": states["video"].flip(1)}
        _, same = model.fused(backward, batch.present)
    torch.testing.assert_close(same["eeg"], before["eeg"], atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("fused", [False, True])
def test_a_last_block_that_computes_the_class_token_only_says_the_same(
    fused: bool,
) -> None:
    model, batch = with_class_token(), a_batch()
    states = model.states(batch)

    def logits() -> dict[str, Tensor]:
        if fused:
            return model.fused(states, batch.present)[1]
        return model.alone(states)

    with torch.no_grad():
        short = logits()
        for m in ("audio", "video"):
            encoder = model.by_modality[m]
            assert encoder.n_read == 1
            whole = WholeBlock(encoder.blocks[-1])
            encoder.blocks[-1] = whole
        full = logits()
    for m in MODALITIES:
        torch.testing.assert_close(short[m], full[m], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("pool", ["mean", "class"])
def test_no_parameter_is_without_influence(pool: str) -> None:
    model = build() if pool == "mean" else with_class_token()
    model, batch = model.train(), a_batch()
    states = model.states(batch)
    present = batch.present.clone()
    present[0] = torch.tensor([True, False, False])
    present[1] = torch.tensor([False, True, True])
    fused, _ = model.fused(states, present)
    loss = fused.square().sum()
    loss = loss + sum(x.square().sum() for x in model.alone(states).values())
    loss.backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None]
    assert idle == []


def test_frames_do_not_see_each_other_below_fusion() -> None:
    encoder = build().by_modality["video"]
    faces = a_batch().parts["video"]
    together = encoder.below_fusion(faces)
    one = encoder.below_fusion(faces[:, 7:8])
    torch.testing.assert_close(together[:, 7:8], one)


def test_states_then_the_rest_equals_the_whole_encoder() -> None:
    batch = a_batch()
    for m, encoder in build().by_modality.items():
        whole = encoder(batch.parts[m])
        parts = encoder.from_states(encoder.below_fusion(batch.parts[m]))
        torch.testing.assert_close(whole, parts)


def test_eeg_tokens_are_time_steps_and_features_are_pooled_power() -> None:
    encoder = EegEncoder(compact().model.eeg, fusion_layers=2).eval()
    states = encoder.below_fusion(torch.randn(1, 30, 500))
    assert states.shape == (1, 1, 60, 40)
    assert encoder.features(states[0]).shape == (1, 40)


def test_spatial_first_is_the_published_temporal_first_stem() -> None:
    encoder = EegEncoder(compact().model.eeg, fusion_layers=2).eval()
    with torch.no_grad():
        encoder.positions.zero_()
        encoder.norm.running_mean.normal_()
        encoder.norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 30, 500)
    taps = encoder.temporal.weight[:, 0]  # (40, 13)
    filtered = torch.nn.functional.conv2d(x[:, None], taps[:, None, None])
    waves = torch.einsum("bfct,fc->bft", filtered, encoder.spatial.weight)
    power = encoder.norm(waves).square().unfold(2, 35, 7).mean(-1)
    expected = power.log().transpose(1, 2)
    found = encoder.below_fusion(x)[:, 0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_time_steps_of_the_eeg_attend_to_each_other() -> None:
    encoder = build().by_modality["eeg"]
    states = encoder.below_fusion(torch.randn(1, 30, 500)).detach().requires_grad_(True)
    last = encoder.fusion_blocks[0](states[0])[0, -1].sum()
    (slope,) = torch.autograd.grad(last, states)
    assert slope[0, 0, 0].abs().max() > 0


def test_order_of_eeg_time_steps_matters_to_the_blocks() -> None:
    # Without positions attention would treat the steps as a set.
    encoder = build().by_modality["eeg"]
    x = torch.randn(1, 30, 500)
    assert not torch.equal(
        encoder.below_fusion(x).mean(2), encoder.below_fusion(x.flip(2)).mean(2)
    )
    assert encoder.positions.abs().max() > 0


def test_power_features_survive_a_flat_recording() -> None:
    logits = build().by_modality["eeg"](torch.zeros(1, 30, 500))
    assert torch.isfinite(logits).all()


def test_ambt_of_one_encoder_is_refused() -> None:
    with pytest.raises(ValueError, match="only audio given"):
        EmotionModel(tiny_config().model, ("audio",), fusion=True)


@pytest.mark.parametrize("variant", ["mean", "concat"])
def test_ambt_of_two_encoders_tells_each_of_the_other(variant: str) -> None:
    torch.manual_seed(0)
    model = EmotionModel(tiny_config(variant).model, ("audio", "video"), fusion=True)
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    batch = collate([inputs_of("audio", "video"), inputs_of("eeg", "audio", "video")])
    _, before = model.eval().fused(model.states(batch), batch.present)
    assert set(before) == {"audio", "video"}
    batch.parts["audio"][:] += 1
    _, after = model.fused(model.states(batch), batch.present)
    assert (after["video"] - before["video"]).abs().max() > 1e-4


def test_collate_marks_what_is_absent_with_zeros() -> None:
    batch = collate([inputs_of("eeg"), inputs_of("eeg", "video")])
    assert batch.present.tolist() == [[True, False, False], [True, False, True]]
    assert set(batch.parts) == {"eeg", "video"}
    assert batch.parts["video"].shape == (2, 25, SIDE, SIDE, 3)
    assert not batch.parts["video"][0].any()


# Published counts (measured on the public code) and what ours does differently; the
# same differences as in docs/models.md.
BLOCK = 12 * 768 * 768 + 13 * 768
AUDIO = 86_189_573 - (1213 - 590) * 768 + 768  # 49 columns, not 101; distillation token
VIDEO = 85_802_501
EEG = 86_640 + 65 * 40 + 4 * (3 * 40 + 1640 + 2 * 40) - 13_000 + 205
EXPAND = 4 * (2 * (256 * 768 + 768) + 256 * 40 + 40)
REDUCE = 3 * ((2 + 4) * 768 * 256 + 2 * 40 * 256 + 3 * 256)
OWN_HEADS = 2 * 3845 + 205
READOUT = {width: (2 * width + 1) * 32 + 33 * 3 + 33 * 15 for width in (256, 768)}
PAPER = {
    "mean": AUDIO + VIDEO + EEG + EXPAND + REDUCE + 3 * 3 * 2 * 256 + OWN_HEADS + 512,
}
PAPER["concat"] = PAPER["mean"] + 4 * 2 * 256 * (768 + 768 + 40) + 2 * 512
PAPER["mean"] += READOUT[256]
PAPER["concat"] += READOUT[768]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_paper_size_has_the_documented_parameters(variant: str) -> None:
    model = build_empty(paper().model, variant)
    encoders = model.by_modality
    assert {m: count(encoders[m]) for m in MODALITIES} == {
        "eeg": EEG,
        "audio": AUDIO,
        "video": VIDEO,
    }
    for m in ("audio", "video"):
        assert [count(block) for block in encoders[m].blocks] == [BLOCK] * 12
        assert len(encoders[m].fusion_blocks) == 4
    assert count(model) == PAPER[variant]


@pytest.mark.parametrize("name", ["paper", "compact"])
def test_counts_in_the_documents_are_those_of_the_models(name: str) -> None:
    text = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    found = describe(paper() if name == "paper" else compact())
    totals = [found["encoders"][m]["total"] for m in MODALITIES]
    totals += [found["ambt"][v]["total"] for v in VARIANTS]
    totals += [found["total"][v] for v in VARIANTS]
    shares = [found["ambt"][v]["total"] / found["total"][v] for v in VARIANTS]
    figures = [f"{n:,}" for n in totals] + [f"{100 * x:.2f} %" for x in shares]
    assert [figure for figure in figures if figure not in text] == []


def test_documented_differences_to_the_published_counts_add_up() -> None:
    text = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    table = text.split("Where the wholes differ:")[1].split("\n\n")[1]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    for column, variant in enumerate(VARIANTS, start=1):
        numbers = [int(row[column].replace(",", "")) for row in rows]
        assert sum(numbers[:-1]) == numbers[-1] == PAPER[variant]


def test_parts_of_a_description_add_up() -> None:
    found = describe(compact())
    for counts in (*found["encoders"].values(), *found["ambt"].values()):
        assert (
            sum(n for part, n in counts.items() if part != "total") == counts["total"]
        )
    below = sum(counts["total"] for counts in found["encoders"].values())
    for variant in VARIANTS:
        total = found["total"][variant]
        assert below + found["ambt"][variant]["total"] == total


def test_stages_of_a_description_are_those_with_epochs() -> None:
    found = {(s["stage"], s["phase"]): s for s in describe(paper())["stages"]}
    assert set(found) == {
        ("eeg", "all"),
        *((stage, phase) for stage in ("audio", "video", "ambt") for phase in PHASES),
    }
    assert found["audio", "head"]["trainable"] == 3845
    assert found["ambt", "all"]["of"] == PAPER["mean"]


def test_describe_prints_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--config", str(PAPER_FILE), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == describe(paper())


def test_describe_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--config", str(PAPER_FILE)]) == 0
    out = capsys.readouterr().out
    assert f"{AUDIO:,}" in out
    assert f"{PAPER['concat']:,}" in out


class WholeBlock(nn.Module):
    """A block that computes every token whatever is read of them."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor, n_read: int | None = None) -> Tensor:
        return self.block(x)


def with_class_token() -> EmotionModel:
    """A tiny recognizer whose audio and video heads read the class token."""
    plain = tiny_config().model
    changed = {
        m: getattr(plain, m).model_copy(update={"pool": "class"})
        for m in ("audio", "video")
    }
    return build(config=plain.model_copy(update=changed))


def paper() -> Config:
    return load_config(PAPER_FILE)


def compact() -> Config:
    return load_config("compact")
