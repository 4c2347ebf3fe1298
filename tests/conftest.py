"""What all tests share: LSL on the loopback interface, and names nobody else has."""

import gc
import hashlib
import logging
import os
import re
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

# Read by liblsl when it is first used, so it must be set before any test module is
# imported; programs started by tests inherit it. The session id keeps two test runs on
# one computer, and two workers of one run, from seeing each other's streams. Only one
# sender hears what is asked on the loopback interface; the known peers, all others, are
# asked MulticastMinRTT later.
_LSL_SETTINGS = """\
[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = {session}
[tuning]
MulticastMinRTT = 0.05
[log]
level = -3
"""

_KEPT_SECONDS = 7 * 24 * 3600.0  # synthetic people of other versions of the code

# A test run in the background of a shell is deaf to Ctrl-C, and so would be every
# program that it starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_folder = tempfile.TemporaryDirectory(prefix="eav-lsl-")
_settings = Path(_folder.name) / "lsl_api.cfg"
_settings.write_text(_LSL_SETTINGS.format(session=f"eav-{uuid.uuid4().hex}"))
os.environ["LSLAPICFG"] = str(_settings)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Programs that tests start keep their logs out of the user's.
os.environ["XDG_STATE_HOME"] = _folder.name
# Nor do they read or change the settings of the user's windows.
os.environ["XDG_CONFIG_HOME"] = _folder.name
os.environ["XDG_DATA_HOME"] = _folder.name
# Small networks on small pictures: several threads wait for each other more than they
# compute, and many times longer when the computer is busy with something else.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Imports make a million objects and no garbage: until all tests are found, looking for
# some would be a fifth of the work.
gc.disable()


# What waits for clocks and sockets: one worker runs in turn all of it that starts
# programs of ours, one the rest, so that few such tests disturb each other, and one all
# that opens windows; the others share out the rest by module, so that a module's
# fixtures are made once.
_LIVE = re.compile(r"pytest\.mark\.(lsl|device|timing)\b")
_PROGRAMS = re.compile(r"^import subprocess$", re.MULTILINE)
_WINDOWS = re.compile(r"pytest\.mark\.qt\b")


def pytest_unconfigure() -> None:
    """Leave nothing behind: worker processes end without Python's own cleaning."""
    _folder.cleanup()


@pytest.hookimpl(optionalhook=True)  # asked by xdist, if there are workers
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Say which tests must run in one process.

    By a scheduler and not by `xdist_group`: what xdist 3.8 does with that mark has no
    effect under pytest 9.2, where a test's id is an object.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            if module not in kept:
                text = (config.rootpath / module).read_text(encoding="utf-8")
                windows = "windows" if _WINDOWS.search(text) else module
                live = "programs" if _PROGRAMS.search(text) else "live"
                kept[module] = live if _LIVE.search(text) else windows
            return kept[module]

    kept: dict[str, str] = {}
    return ByModule(config, log)


def pytest_collection_finish() -> None:
    """Let no later collection walk through all that the imports have made.

    A million objects: `accelerate` collects after every stage of a training, which
    took a third of the time of a small one.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _no_log_outlives_its_test() -> Iterator[None]:
    """A program that a test calls logs to a stderr that goes when the test ends."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    root.handlers[:] = before


@pytest.fixture(scope="session")
def qapp(qapp):  # type: ignore[no-untyped-def]
    """As a program with windows has it: no other thread destroys what is Qt's."""
    from eav_live.ui.window import collect_garbage_here

    collect_garbage_here(qapp)
    return qapp


@pytest.fixture(autouse=True, scope="module")
def _no_garbage_outlives_its_module() -> Iterator[None]:
    """Event loops that would collect it hardly run in tests."""
    yield
    if not gc.isenabled():
        gc.collect()


@pytest.fixture
def stream_name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name that no other stream has; who sends it is here and answers at once."""
    monkeypatch.setattr("eav_live.streams.lsl.RESOLVE_SECONDS", 0.2)
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def test_data() -> Callable[[str], Path]:
    """Finds a real recording by its path in the test data, or skips the test.

    They lie where EAV_TEST_DATA says, or in ../shared/data beside the repository.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    root = Path(os.environ.get("EAV_TEST_DATA", beside))

    def find(relative: str) -> Path:
        path = root / relative
        if not path.exists():
            pytest.skip(f"{relative} is not in the test data (set EAV_TEST_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def synthetic_subject() -> Path:
    """One small synthetic person: ten trials, five of them Speaking, one an emotion.

    All workers, and later runs, read the same one, which is drawn anew when the code
    that draws it changes: copy it before changing it.
    """
    from small_person import write_small_subject

    root = Path(platformdirs.user_cache_dir("eav-live")) / "tests"
    people = root / f"people-{_drawn_by()}"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / "people.lock"):
        if not people.is_dir():
            with tempfile.TemporaryDirectory(dir=root) as unfinished:
                made = Path(unfinished) / "people"
                write_small_subject(made, n_trials=10, seed=3)
                for older in root.glob("people-*"):
                    # Another checkout's tests may be reading a younger one.
                    if time.time() - older.stat().st_mtime > _KEPT_SECONDS:
                        shutil.rmtree(older)
                made.rename(people)
    return people / "subject1"


def _drawn_by() -> str:
    """A hash of the code that draws synthetic people, and of what it draws with."""
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parents[1] / "eav_offline"
    files = [*package.glob("data/synthetic/*.py"), *package.glob("core/*.py")]
    here = Path(__file__).parent / "helpers" / "small_person.py"
    for path in [*sorted(files), package / "data" / "media.py", here]:
        digest.update(path.read_bytes())
    for library in ("numpy", "scipy", "opencv-python", "av", "soundfile"):
        digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()[:16]
