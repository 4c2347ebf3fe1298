"""Tiny published classifiers, written once."""

from pathlib import Path

import pytest
from published_models import write_face, write_voice


@pytest.fixture(scope="session")
def face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_face(tmp_path_factory.mktemp("face"))


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers and checkpoints are kept here and not in the user's cache directory."""
    monkeypatch.setattr(
        "platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name)
    )
