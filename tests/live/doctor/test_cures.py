"""What the doctor says of each system's own hurdles, wherever the tests run."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_doctor import FakeSource, alone, live, sound

from eav_live.doctor import network, streams
from eav_live.doctor.network import firewall_cure
from eav_live.doctor.streams import Device, permission_cure
from eav_live.recognition.predictions import StreamState

DOCS = Path(__file__).resolve().parents[3] / "docs" / "how-to"


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("win32", "New-NetFirewallRule"),
        ("darwin", "Local Network"),
        ("linux", "sudo ufw allow"),
    ],
)
def test_each_systems_firewall_is_opened_by_its_own_line(
    platform: str, said: str
) -> None:
    assert said in firewall_cure(platform)
    assert firewall_cure("plan9") == ""


def test_the_lines_of_windows_are_those_of_the_page() -> None:
    page = (DOCS / "firewall.md").read_text(encoding="utf-8")
    rules = re.findall(r"New-NetFirewallRule [^;]*", firewall_cure("win32"))
    assert len(rules) == 2
    assert all(rule in page for rule in rules)


@pytest.mark.parametrize(
    ("device", "name"), [("audio", "Microphone"), ("video", "Camera")]
)
def test_permissions_are_where_each_system_keeps_them(
    device: Device, name: str
) -> None:
    assert f"Privacy & Security > {name}" in permission_cure("darwin", device)
    assert f"Privacy & security > {name}" in permission_cure("win32", device)
    assert permission_cure("linux", device) == ""


@pytest.mark.parametrize(("platform", "there"), [("darwin", True), ("linux", False)])
def test_a_silent_microphone_may_be_a_forbidden_one(
    platform: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    source = FakeSource(sound(np.zeros(48_000)))
    told = streams.judge(alone("audio", source), "audio", live("Microphone"))
    assert told.found == "Microphone: silent"
    assert ("Privacy & Security > Microphone" in told.cure) is there
    gone = replace(live("no camera"), state=StreamState.LOST)
    told = streams.judge(alone("video", source), "video", gone)
    assert ("Privacy & Security > Camera" in told.cure) is there
    eeg = streams.judge(alone("eeg", source), "eeg", gone)
    assert "Privacy" not in eeg.cure


@pytest.mark.parametrize("echo", [True, False])
def test_blocked_multicast_brings_the_firewalls_line(
    echo: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(network, "config_file", lambda: None)
    told = network.check_multicast(lambda: echo)
    assert ("New-NetFirewallRule" in told.cure) is not echo
