"""What the packages import is what the project declares, and nothing else is."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from eav_offline.common.errors import EXTRAS, InputRefused, plain_words, with_extras

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("eav_live", "eav_offline")
OPTIONAL = ("analysis", "bids", "cluster", "hub", "parquet", "train")
# Distributions that are imported under another name.
IMPORTED_AS = {
    "import-linter": "importlinter",
    "opencv-python": "cv2",
    "PySide6-Essentials": "PySide6",
    "pytest-qt": "pytestqt",
    "pytest-xdist": "xdist",
    "scikit-learn": "sklearn",
}
# Parts of the interface of what they come with: templates, requests, tasks.
WITH_ANOTHER = {
    "dask": "distributed",
    "httpx2": "huggingface_hub",
    "markupsafe": "jinja2",
}
# Imported by others: torch's exporter; weights that are read without their code.
UNIMPORTED = {"onnx", "facenet_pytorch"}
# Programs and plugins, which nothing imports.
TOOLS = {"importlinter", "mypy", "pytest_timeout", "pytestqt", "ruff", "xdist"}


def imported_by(*places: str) -> dict[str, set[str]]:
    """Module -> files, of all imports in these folders, wherever in a file they are."""
    found: dict[str, set[str]] = {}
    for place in places:
        for path in sorted((ROOT / place).rglob("*.py")):
            for module in _imports(_parsed(path)):
                name = module.partition(".")[0]
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    ours = {*PACKAGES, "benchmarks", *(p.stem for p in (ROOT / "tests").rglob("*.py"))}
    return {m: f for m, f in found.items() if m not in sys.stdlib_module_names | ours}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def declared(*extras: str) -> set[str]:
    """Distributions of the base, or of these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    lines = [line for extra in extras for line in optional[extra]]
    lines = lines if extras else project["dependencies"]
    names = {re.split(r"[\[=<>~! ;]", line, maxsplit=1)[0] for line in lines}
    return names - {"eav-live"}


def modules(distributions: set[str]) -> set[str]:
    """What they are imported as."""
    return {IMPORTED_AS.get(d, d.replace("-", "_")) for d in distributions}


def test_what_the_packages_import_is_declared() -> None:
    known = modules(declared() | declared(*OPTIONAL))
    found = imported_by(*PACKAGES)
    undeclared = {
        module: sorted(files)
        for module, files in found.items()
        if WITH_ANOTHER.get(module, module) not in known | {"mne_lsl"}
    }
    assert undeclared == {}
    # A stream of it is handed in, so who does that has it; here are only its types.
    assert found["mne_lsl"] == {
        "eav_live/session/opening.py",
        "eav_live/streams/chosen.py",
        "eav_live/streams/mne_stream.py",
    }


def test_what_is_declared_is_imported() -> None:
    used = imported_by(*PACKAGES).keys() | UNIMPORTED
    assert modules(declared()) - used == set()
    tested = imported_by("tests").keys()
    assert modules(declared(*OPTIONAL)) - used - tested == set()
    assert modules(declared("dev")) - TOOLS - tested == set()


@pytest.mark.parametrize("module", sorted(EXTRAS))
def test_an_extra_that_is_named_brings_what_is_missing(module: str) -> None:
    brought = modules(declared(EXTRAS[module]))
    assert WITH_ANOTHER.get(module, module) in brought
    assert module not in modules(declared())


def test_a_missing_library_is_told_with_the_extra_that_brings_it() -> None:
    missing = ModuleNotFoundError("No module named", name="sklearn.manifold")
    assert "pip install 'eav-live[train]'" in (plain_words(missing) or "")
    assert plain_words(ModuleNotFoundError("No module", name="eav_offline.no")) is None
    with pytest.raises(InputRefused, match=r"needs pandas.*eav-live\[analysis\]"):
        with with_extras():
            raise ModuleNotFoundError("No module named", name="pandas")


def test_loading_what_watches_a_session_needs_none_of_the_extras() -> None:
    loaded: set[str] = set()
    rooms = (ROOT / "eav_live", ROOT / "eav_offline" / "data" / "sessions")
    files = {path for room in rooms for path in room.rglob("*.py")}
    # What a page of a session is drawn by, imported when one is asked for.
    drawn = {ROOT / "eav_live" / "review" / f for f in ("summary.py", "drawings.py")}
    assert drawn < files
    waiting = [_name(path) for path in files - drawn]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in loaded or path is None:
            continue
        loaded.add(name)
        tree = _parsed(path)
        waiting += [*_at_once(tree.body), name.rpartition(".")[0]]
        outside = {module.partition(".")[0] for module in _at_once(tree.body)}
        assert not outside & (EXTRAS.keys() | {"mne_lsl"}), name
    assert "eav_offline.models.baselines.classifiers" in loaded  # of the people's model


def _at_once(body: list[ast.stmt]) -> Iterator[str]:
    """What a module imports as it is loaded, and what may be modules of a package."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Try | ast.With | ast.ClassDef):
            yield from _at_once(node.body)


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _file(module: str) -> Path | None:
    """The source of a module of ours; None of any other."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    place = ROOT.joinpath(*module.split("."))
    choices = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in choices if path.is_file()), None)
