"""What stands in the way on each system, and the line or the place that mends it.

Functions of the platform's name, as `sys.platform` has it, and of nothing else.
"""

from typing import Literal

# LSL's own, from finding a stream to its last port for data.
_UDP, _TCP = "16571-16604", "16572-16604"
_PRIVACY = "System Settings > Privacy & Security"

Device = Literal["audio", "video"]


def firewall_cure(platform: str) -> str:
    """How to let LSL through this system's own firewall; "" where none is known."""
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
            f"connections for python; {_PRIVACY} > Local Network, allow your terminal"
        )
    if platform.startswith("linux"):
        return (
            "a Linux firewall, for the laboratory's network only: sudo ufw allow from "
            "192.168.1.0/24 to any port 16571:16604 proto udp, and the same with "
            "16572:16604 proto tcp"
        )
    return ""


def permission_cure(platform: str, device: Device) -> str:
    """Where this system keeps a device from programs; "" where it does not.

    What is kept from a program looks like a camera that does not open or shows black,
    or like a silent microphone.
    """
    name = {"audio": "Microphone", "video": "Camera"}[device]
    if platform == "darwin":
        return (
            f"macOS: {_PRIVACY} > {name}, allow your terminal, then start the terminal "
            "again"
        )
    if platform == "win32":
        return (
            f"Windows: Settings > Privacy & security > {name}, switch on access for "
            "desktop apps"
        )
    return ""


def _windows_rule(protocol: str, ports: str) -> str:
    return (
        f'New-NetFirewallRule -DisplayName "LSL {protocol}" -Direction Inbound '
        f"-Profile Private -Protocol {protocol} -LocalPort {ports} -Action Allow"
    )
