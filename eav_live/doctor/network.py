"""Is LSL there, does it find streams, and which are visible?"""

import os
import re
import socket
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pylsl

from eav_live.doctor import Check, failure, ok, warning
from eav_live.outlets.headers import StreamHeader, open_outlet
from eav_live.streams.lsl import describe, handle, of_type

# Where liblsl sends its questions unless its configuration says otherwise.
GROUP, MULTICAST_PORT = "239.255.172.215", 16571
DATA_PORTS = (16572, 16603)
# LSL's own, from finding a stream to its last port for data.
_UDP, _TCP = "16571-16604", "16572-16604"

_FIND_SECONDS = 3.0
_DATA_SECONDS = 3.0
_ECHO_SECONDS = 1.0
_LOOK_SECONDS = 1.5  # other computers answer within half a second


def config_file() -> Path | None:
    """The settings file that liblsl reads; None if there is none."""
    candidates = [
        Path(os.environ.get("LSLAPICFG", "")),
        Path("lsl_api.cfg"),
        Path.home() / "lsl_api" / "lsl_api.cfg",
        Path("/etc/lsl_api/lsl_api.cfg"),
    ]
    return next((path for path in candidates if path.is_file()), None)


def settings_hint(peer: str) -> str:
    """What to write into which file so that LSL finds `peer` without multicast."""
    path = config_file() or Path.home() / "lsl_api" / "lsl_api.cfg"
    return (
        f"write into {path} the two lines `[lab]` and `KnownPeers = {{{peer}}}`; the "
        "environment variable LSLAPICFG can name another file. Firewalls must let "
        f"through UDP {MULTICAST_PORT} and TCP and UDP {DATA_PORTS[0]}-{DATA_PORTS[1]}"
        + _firewall()
    )


def check_library() -> Check:
    """Which LSL there is, and which settings it reads."""
    named = os.environ.get("LSLAPICFG")
    if named and not Path(named).is_file():
        return warning(
            "LSL library",
            f"LSLAPICFG names {named}, which is not there; LSL has its defaults",
            "correct the environment variable LSLAPICFG, or unset it",
        )
    version = pylsl.library_version()
    path = config_file()
    where = f"settings from {path}" if path is not None else "default settings"
    return ok("LSL library", f"liblsl {version // 100}.{version % 100}, {where}")


def check_discovery() -> Check:
    """Whether a stream of this program's own is found again, and delivers."""
    name = f"eav-doctor-{uuid.uuid4().hex[:8]}"
    outlet = open_outlet(StreamHeader(name, "Test", "float32", 0.0, n_values=1))
    begun = time.perf_counter()
    found = pylsl.resolve_bypred(f"name='{name}'", minimum=1, timeout=_FIND_SECONDS)
    took = time.perf_counter() - begun
    if not found:
        return failure(
            "LSL discovery",
            f"a stream opened here was not found within {_FIND_SECONDS:g} s: no LSL "
            "program will be",
            f"{settings_hint('127.0.0.1')}, also on the loopback interface",
        )
    inlet = pylsl.StreamInlet(found[0], recover=False)
    try:
        inlet.open_stream(_DATA_SECONDS)
        outlet.wait_for_consumers(_DATA_SECONDS)
        outlet.push_sample([1.0])
        sample, _ = inlet.pull_sample(_DATA_SECONDS)
    except (pylsl.util.TimeoutError, pylsl.util.LostError):
        sample = None
    finally:
        inlet.close_stream()
    del inlet  # before the outlet, which waits for its readers
    if sample is None:
        return failure(
            "LSL discovery",
            "a stream opened here is found, but its data do not arrive",
            f"let TCP {DATA_PORTS[0]}-{DATA_PORTS[1]} through this computer's firewall"
            + _firewall(),
        )
    return ok(
        "LSL discovery", f"own stream found in {1000 * took:.0f} ms, data received"
    )


def check_multicast(echo: Callable[[], bool] | None = None) -> Check:
    """Whether questions to other computers leave this one.

    echo: sends to LSL's multicast group and says whether it came back; may raise
        OSError.
    """
    path = config_file()
    if path is not None and _keeps_to_itself(path):
        return ok(
            "LSL network",
            f"streams of this computer only: ResolveScope = machine in {path}",
        )
    cure = (
        "streams of other computers will not be found. Allow multicast (a VPN or a "
        f"guest network often forbids it), or {settings_hint('ADDRESS')} where "
        "ADDRESS is that of the computer with the amplifier's program"
    )
    try:
        arrived = (echo or _echo)()
    except OSError as error:
        return warning(
            "LSL network", f"multicast to {GROUP} is not possible: {error}", cure
        )
    if not arrived:
        return warning(
            "LSL network", f"multicast to {GROUP} does not come back: blocked", cure
        )
    address = _own_address()
    here = f"; this computer is {address}" if address else ""
    return ok("LSL network", f"multicast works{here}")


def check_visible(wanted: str | None) -> Check:
    """Which streams there are. wanted: the EEG stream asked for, None if none was."""
    found = pylsl.resolve_streams(_LOOK_SECONDS)
    if found:
        return ok("Streams", "; ".join(sorted(map(describe, found))))
    cure = (
        "start the amplifier's LSL program and link it (try `eav-replay` without one); "
        "if it runs on another computer, see LSL network"
    )
    if wanted is None:
        return warning("Streams", "no LSL stream is visible", cure)
    return failure("Streams", f"no LSL stream is visible, so not {wanted}", cure)


def eeg_streams() -> Sequence[str]:
    """What --eeg-stream takes for each visible stream of type EEG."""
    found = pylsl.resolve_bypred(of_type("EEG"), minimum=1024, timeout=_LOOK_SECONDS)
    return sorted(handle(info, found) or info.name() for info in found)


def _firewall() -> str:
    cure = firewall_cure(sys.platform)
    return f". {cure}" if cure else ""


def _keeps_to_itself(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"(?im)^\s*ResolveScope\s*=\s*machine\s*$", text) is not None


def _echo() -> bool:
    """Send a datagram to LSL's group and wait for it on a port of our own."""
    everywhere = socket.inet_aton(GROUP) + socket.inet_aton("0.0.0.0")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("", 0))
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, everywhere)
        receiver.settimeout(_ECHO_SECONDS)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        word = uuid.uuid4().bytes
        sender.sendto(word, (GROUP, receiver.getsockname()[1]))
        try:
            return receiver.recv(64) == word
        except TimeoutError:
            return False


def _own_address() -> str | None:
    """This computer's address on the network that multicast leaves by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((GROUP, MULTICAST_PORT))  # of UDP: nothing is sent
        except OSError:
            return None
        return str(probe.getsockname()[0])


def firewall_cure(platform: str) -> str:
    """How to let LSL through a system's own firewall; "" where none is known.

    platform: as `sys.platform` has it.
    """
    if platform == "win32":
        rules = "; ".join(
            _windows_rule(p, r) for p, r in (("UDP", _UDP), ("TCP", _TCP))
        )
        return (
            "Windows' firewall: set the laboratory's network to private, and in "
            f"PowerShell as administrator: {rules}"
        )
    if platform == "darwin":
        return (
            "macOS: System Settings > Network > Firewall > Options, allow incoming "
            "connections for python; System Settings > Privacy & Security > Local "
            "Network, allow your terminal"
        )
    if platform.startswith("linux"):
        return (
            "a Linux firewall, for the laboratory's network only: sudo ufw allow from "
            "192.168.1.0/24 to any port 16571:16604 proto udp, and the same with "
            "16572:16604 proto tcp"
        )
    return ""


def _windows_rule(protocol: str, ports: str) -> str:
    return (
        f'New-NetFirewallRule -DisplayName "LSL {protocol}" -Direction Inbound '
        f"-Profile Private -Protocol {protocol} -LocalPort {ports} -Action Allow"
    )
