"""The three networks of MTCNN (Zhang et al. 2016), with facenet-pytorch's weights.

facenet-pytorch's own classes compute the same (tests hold them together). Importing
them brings torchvision and with it torch's compiler: four seconds that a session would
wait at every start.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from eav_offline.common.errors import InputRefused


@dataclass(frozen=True)
class Layout:
    """A network's layers, in the order of their names in the weights' file.

    convolutions: (channels out, kernel, pooling kernel or 0). hidden: (in, out) of the
    dense layer; None for a network that judges every cell of a picture.
    """

    file: str
    convolutions: tuple[tuple[int, int, int], ...]
    hidden: tuple[int, int] | None


PROPOSE = Layout("pnet.pt", ((10, 3, 2), (16, 3, 0), (32, 3, 0)), None)
REFINE = Layout("rnet.pt", ((28, 3, 3), (48, 3, 3), (64, 2, 0)), (576, 128))
OUTPUT = Layout(
    "onet.pt", ((32, 3, 3), (64, 3, 3), (64, 3, 2), (128, 2, 0)), (1152, 256)
)


class MtcnnNetwork(nn.Module):
    """Pictures (n, 3, height, width), -1 to 1, -> box shifts and probabilities.

    Shifts are (n, 4), probabilities (n, 2) of no face and a face; with the height and
    width of the cells behind where there is no dense layer.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        channels = 3
        for width, kernel, pool in layout.convolutions:
            steps += [nn.Conv2d(channels, width, kernel), nn.PReLU(width)]
            if pool:
                steps.append(nn.MaxPool2d(pool, 2, ceil_mode=True))
            channels = width
        self.steps = nn.Sequential(*steps)
        self.hidden: nn.Sequential | None = None
        if layout.hidden is None:
            self.face: nn.Module = nn.Conv2d(channels, 2, 1)
            self.box: nn.Module = nn.Conv2d(channels, 4, 1)
        else:
            wide, narrow = layout.hidden
            self.hidden = nn.Sequential(nn.Linear(wide, narrow), nn.PReLU(narrow))
            self.face, self.box = nn.Linear(narrow, 2), nn.Linear(narrow, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        x = self.steps(x)
        if self.hidden is not None:
            # The weights were made for Matlab's order: columns before rows.
            x = self.hidden(x.permute(0, 3, 2, 1).flatten(1))
        return self.box(x), self.face(x).softmax(1)


def load_network(layout: Layout) -> MtcnnNetwork:
    """The network with its weights, in eval mode.

    Raises InputRefused if facenet-pytorch's files are not there or are others.
    """
    network = MtcnnNetwork(layout).eval()
    path = _weights_folder() / layout.file
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        # Layers come in the same order; facial landmarks, the last, are not used.
        ours = network.state_dict()
        named = dict(zip(_order(ours), weights.values(), strict=False))
        network.load_state_dict(named)
    except (OSError, RuntimeError) as error:
        raise InputRefused(
            f"the face detector's weights {path} cannot be used ({error}); install "
            "facenet-pytorch again"
        ) from error
    return network


def _order(names: dict[str, Tensor]) -> Sequence[str]:
    """Our tensors' names as theirs follow in the file."""
    parts = ["steps", "hidden", "face", "box"]
    return sorted(names, key=lambda name: parts.index(name.split(".")[0]))


def _weights_folder() -> Path:
    # Found, not imported: see above.
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or not spec.submodule_search_locations:
        raise InputRefused(
            "the face detector needs facenet-pytorch's weights, which are not "
            "installed; run ./dev setup, or install facenet-pytorch"
        )
    return Path(spec.submodule_search_locations[0]) / "data"
