"""The demo: a synthetic person, made on first use, replayed in a process of its own."""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs

log = logging.getLogger(__name__)

DEMO_SEED = (
    2026  # a person the demo model has never seen (`benchmarks.offline.demo_model`)
)
DEMO_TRIALS = 10  # five of them Speaking, one of each emotion

# Temporary folders by the cache directory that they stand in for.
_instead: dict[Path, tempfile.TemporaryDirectory[str]] = {}

# Everything stays on this computer: no multicast, loopback addresses only.
_LOOPBACK = """[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {127.0.0.1}
[log]
level = -2
"""


def cache_folder() -> Path:
    """Where the demo keeps what it made: the user's cache directory.

    One that cannot be written gives way to a temporary folder, for this program alone.
    """
    folder = Path(platformdirs.user_cache_dir("eav-live"))
    if folder in _instead:
        return Path(_instead[folder].name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        _instead[folder] = tempfile.TemporaryDirectory(prefix="eav-live-")
        log.warning(
            "%s cannot be written (%s): the demo's person is made in %s, for this time",
            folder,
            error.strerror,
            _instead[folder].name,
        )
        return Path(_instead[folder].name)


def remove_temporary() -> None:
    """Remove what stood in for the user's cache directory."""
    while _instead:
        _instead.popitem()[1].cleanup()


def demo_subject() -> Path:
    """The folder of the demo's person; written on first use, under a minute."""
    from eav_offline.data.synthetic import GENERATOR_VERSION

    root = cache_folder() / f"demo-{DEMO_SEED}-{DEMO_TRIALS}-v{GENERATOR_VERSION}"
    subject = root / "subject1"
    if subject.is_dir():
        return subject
    from eav_offline.data.synthetic.people import write_subjects

    log.info("Making the demo's synthetic person in %s (once, under a minute)", root)
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix="unfinished-") as folder:
        people = Path(folder) / "people"
        write_subjects(people, 1, DEMO_TRIALS, DEMO_SEED, jobs=os.cpu_count() or 1)
        try:
            people.rename(root)
        except OSError:  # another demo was faster
            if not subject.is_dir():
                raise
    return subject


def keep_lsl_on_this_computer() -> None:
    """Point liblsl at a loopback-only configuration, unless the user named one.

    Must run before pylsl or mne_lsl is imported.
    """
    if "LSLAPICFG" in os.environ:
        return
    path = cache_folder() / "lsl_loopback.cfg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_LOOPBACK)
    os.environ["LSLAPICFG"] = str(path)


class ReplayProcess:
    """`eav-replay` in a process of its own, which ends when this one does."""

    def __init__(self, arguments: Sequence[str]) -> None:
        command = (
            "import sys; from eav_live.cli import replay_main; sys.exit(replay_main())"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", command, *arguments, "--until-stdin-closes"],
            stdin=subprocess.PIPE,
        )

    def stop(self) -> None:
        """End the replay; may be called twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class DemoReplay(ReplayProcess):
    """The replay of the demo's person, as the streams `name`, -Audio and -Video."""

    def __init__(self, name: str) -> None:
        super().__init__([str(demo_subject()), "--name", name, "--loop"])

    def stop(self) -> None:
        """End the replay and remove what it alone needed; may be called twice."""
        super().stop()
        remove_temporary()
