"""What the packages import is what the project declares, and nothing else is."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("eav_live", "eav_offline")
# Distributions that are imported under another name.
IMPORTED_AS = {
    "eav-live": "eav_live",
    "facenet-pytorch": "facenet_pytorch",
    "opencv-python": "cv2",
    "PySide6-Essentials": "PySide6",
    "pytest-qt": "pytestqt",
    "scikit-learn": "sklearn",
}
# Comes with jinja2, of whose interface it is a part.
WITH_ANOTHER = {"markupsafe": "jinja2"}
# Programs and plugins, which nothing imports.
TOOLS = {"import-linter", "mypy", "pytest-qt", "pytest-timeout", "ruff"}
# Installed beside torchvision for `torch`'s exporter, which looks it up by name.
BY_NAME = {"onnx"}


def imported_by(*places: str) -> dict[str, set[str]]:
    """Module -> files, of all imports in these folders, wherever in a file they are."""
    found: dict[str, set[str]] = {}
    for place in places:
        for path in sorted((ROOT / place).rglob("*.py")):
            for module in _imports(ast.parse(path.read_text(encoding="utf-8"))):
                name = module.partition(".")[0]
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    ours = {*PACKAGES, "benchmarks", *(p.stem for p in ROOT.rglob("tests/**/*.py"))}
    return {m: f for m, f in found.items() if m not in sys.stdlib_module_names | ours}


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
