"""Do the streams and devices asked for deliver what the model needs?

They are read by the very sources that a session has, side by side.
"""

import sys
import time
from typing import Literal

import numpy as np

from eav_live.doctor import Check, failure, ok, warning
from eav_live.recognition.predictions import (
    STREAM_NAMES,
    STREAMING,
    StreamHealth,
    StreamState,
)
from eav_live.session.intake import Intake
from eav_live.windows.rings import FrameRing, SampleRing
from eav_offline.core.window import EEG_CHANNELS

SILENT_DB = -70.0  # dB of full scale: below any room, above a muted input
QUIET_DB = -50.0
CLIPPED_SHARE = 0.001

_SECONDS = 3.0  # of data, until a rate is known
PATIENCE = 8.0  # seconds for a stream or device to begin
_BEGUN = (*STREAMING, StreamState.LATE)

Device = Literal["audio", "video"]


def check_streams(
    intake: Intake, patience: float = PATIENCE, seconds: float = _SECONDS
) -> list[Check]:
    """Read all streams for `seconds`, wait for them `patience` seconds at most."""
    intake.start()
    try:
        late = time.monotonic() + patience

        def settled(health: StreamHealth) -> bool:
            if health.state in _BEGUN:
                return health.filled_s >= seconds
            return health.state is StreamState.REFUSED or time.monotonic() > late

        health = intake.wait_until(settled, patience + seconds)
        return [judge(intake, m, h) for m, h in health.items()]
    finally:
        intake.stop()


def judge(intake: Intake, modality: str, health: StreamHealth) -> Check:
    """What a stream that was read for some seconds shows."""
    name = STREAM_NAMES[modality]
    found, _, advice = health.detail.partition(". ")
    if health.state not in _BEGUN:
        return failure(name, found or str(health.state), advice or _cure(modality))
    if health.fault:
        return failure(name, f"{found}: {health.fault}", _cure(modality))
    if health.state is StreamState.LATE:
        return warning(
            name,
            f"{found}; its newest data are {health.age_s or 0:.1f} s old",
            "the sender is slow or its clock is off; see its own window",
        )
    rings = intake.rings
    if modality == "eeg":
        return _judge_eeg(name, found, rings.eeg, intake.interpolated, health)
    if modality == "audio":
        return _judge_sound(name, found, rings.audio)
    return _judge_picture(name, found, rings.video)


def level_db(sound: np.ndarray) -> float:
    """Root mean square of sound (n,) in [-1, 1], dB of full scale; -inf if silent."""
    power = float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
    return 10 * np.log10(power) if power > 0 else -np.inf


def _judge_eeg(
    name: str,
    found: str,
    ring: SampleRing | None,
    interpolated: tuple[str, ...],
    health: StreamHealth,
) -> Check:
    found = found.partition("; interpolated: ")[0]  # said with its cure below
    told = f"{found}, measured {health.rate or 0:.1f}/s"
    trouble: dict[str, str] = {}  # and its cure
    if health.notice:
        said, _, advice = health.notice.partition(". ")
        trouble[said] = advice or "see what the sender's own window says"
    if interpolated:
        trouble[f"interpolated: {', '.join(interpolated)}"] = (
            "switch on at the amplifier what is interpolated, or map its labels under "
            "[eeg.rename]"
        )
    dead = _dead_electrodes(ring)
    if dead:
        trouble[f"flat: {', '.join(dead)}"] = (
            f"see to {', '.join(dead)} (gel, plug); else they are interpolated"
        )
    if health.gaps:
        trouble[f"{health.gaps} gaps in {_SECONDS:g} s"] = (
            "a cable or the radio link of the amplifier, or a busy network; use a wire"
        )
    if trouble:
        cures = ". ".join(cure[0].upper() + cure[1:] for cure in trouble.values())
        return warning(name, f"{told}; {'; '.join(trouble)}", cures)
    return ok(name, f"{told}; all 30 electrodes, none flat")


def _dead_electrodes(ring: SampleRing | None) -> list[str]:
    if ring is None:
        return []
    _, values = ring.latest(_SECONDS)
    if len(values) < 2:
        return []
    moving = np.ptp(values, axis=0) > 0  # False also where it is not a number
    return [EEG_CHANNELS[i] for i in np.flatnonzero(~moving)]


def _judge_sound(name: str, found: str, ring: SampleRing | None) -> Check:
    assert ring is not None
    _, values = ring.latest(_SECONDS)
    sound = values[:, 0]
    level = level_db(sound)
    told = f"{found}, level {level:.0f} dB"
    if level < SILENT_DB:
        return warning(
            name,
            f"{found}: silent",
            "unmute the microphone and choose it as input; `eav-live devices` lists "
            f"them, --audio mic:DEVICE names one{_permission('audio')}",
        )
    if float(np.mean(np.abs(sound) > 0.99)) > CLIPPED_SHARE:
        return warning(name, f"{told}, clipped", "turn the microphone's gain down")
    if level < QUIET_DB:
        return warning(
            name, f"{told}: quiet", "speak while this runs, or turn the gain up"
        )
    return ok(name, told)


def _judge_picture(name: str, found: str, ring: FrameRing | None) -> Check:
    frames = ring.until(float("inf")) if ring is not None else []
    with_face = sum(frame.found for frame in frames)
    told = f"{found}; a face in {with_face} of {len(frames)} kept frames"
    if with_face == 0:
        return warning(
            name,
            told,
            "sit before the camera, in light from the front, lens uncovered"
            + _permission("video"),
        )
    return ok(name, told)


def _cure(modality: str) -> str:
    """What to do where a stream or device does not deliver."""
    if modality == "eeg":
        return _CURES[modality]
    return _CURES[modality] + _permission("audio" if modality == "audio" else "video")


def _permission(device: Device) -> str:
    cure = permission_cure(sys.platform, device)
    return f". {cure}" if cure else ""


def permission_cure(platform: str, device: Device) -> str:
    """Where a system keeps a device from programs; "" where it does not.

    platform: as `sys.platform` has it.
    What is kept from a program looks like a camera that does not open or shows black,
    or like a silent microphone.
    """
    name = {"audio": "Microphone", "video": "Camera"}[device]
    if platform == "darwin":
        return (
            f"macOS: System Settings > Privacy & Security > {name}, allow your "
            "terminal, then start the terminal again"
        )
    if platform == "win32":
        return (
            f"Windows: Settings > Privacy & security > {name}, switch on access for "
            "desktop apps"
        )
    return ""


_CURES = {
    "eeg": "start the amplifier's LSL program and link it, or give another "
    "--eeg-stream; --eeg-stream none leaves EEG out",
    "audio": "connect a microphone, or give --audio mic:DEVICE, lsl:NAME, file:PATH or "
    "none",
    "video": "connect a camera, or give --video camera:INDEX, lsl:NAME, file:PATH or "
    "none",
}
