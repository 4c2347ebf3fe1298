"""What configs/live.toml may say; an unknown key is an error naming key and file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from eav_offline.common.errors import InputRefused, explain_faults
from eav_offline.core.window import EEG_CHANNELS, N_CHANNELS


class LiveConfigError(InputRefused, ValueError):
    """The file cannot be read, or says something unknown or impossible."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Device(_Section):
    """What every device may have.

    delay_ms: from an event to the time that the device stamps it with; subtracted.
    """

    delay_ms: float = Field(default=0.0, ge=-1000, le=1000)


def _electrode(name: str) -> str:
    """The electrode's usual spelling. Raises ValueError."""
    for electrode in EEG_CHANNELS:
        if electrode.casefold() == name.casefold():
            return electrode
    raise ValueError(f"{name!r} is none of the electrodes {', '.join(EEG_CHANNELS)}")


class EegStream(_Device):
    """How an amplifier's channels are called, and what its header does not say.

    rename: label in the stream -> electrode. labels: names of all channels in order,
    for a stream whose header has none; None takes the header's. bad: electrodes to be
    interpolated though they are there. reference: the amplifier's reference electrode.
    line_hz: mains frequency; None finds it. rate: Hz, where the header's is wrong.
    """

    rename: dict[str, str] = Field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    bad: tuple[str, ...] = ()
    reference: str | None = None
    line_hz: Literal[50, 60] | None = None
    rate: float | None = Field(default=None, gt=0, le=100_000)

    @field_validator("bad")
    @classmethod
    def _spelled(cls, bad: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_electrode, bad))

    @field_validator("rename")
    @classmethod
    def _each_once(cls, rename: dict[str, str]) -> dict[str, str]:
        for electrode in rename.values():
            if list(rename.values()).count(electrode) > 1:
                raise ValueError(f"two labels are mapped to {electrode}")
            _electrode(electrode)
        return rename


class ConsentForm(_Section):
    """What a person is shown before anything is recorded."""

    text: str = Field(
        default=(
            "This session records your EEG, your voice and pictures of your face, and "
            "what a program estimates from them. The estimates are guesses at acted "
            "emotions and say nothing certain about you. The recordings stay on this "
            "computer, under a code instead of your name, and you may have them "
            "deleted at any time. You may end the session whenever you wish."
        ),
        min_length=1,
    )


class AudioDevice(_Device):
    """The microphone. device: PortAudio's number or a part of its name."""

    device: int | str | None = None


class Window(_Section):
    """What windows are like. language: "en" or "zh", Chinese, which --language wins
    over; null for the one that was chosen in the window, or else the system's.
    """

    language: Literal["en", "zh"] | None = None


class VideoDevice(_Device):
    """The camera. device: its number or path; width, height: pixels to ask for."""

    device: int | str = 0
    width: int = Field(default=640, ge=64, le=4096)
    height: int = Field(default=480, ge=64, le=4096)


class QualitySettings(_Section):
    """When an electrode is bad, and when a modality is left out of the window.

    flat_uv: an electrode is flat that moves less, µV within 2 s. line_ratio: mains hum
    over 1-40 Hz, root mean squares. noisy_uv: root mean square of 1-40 Hz.
    comes_s, goes_s: how long a fault must last to count, and be gone to be forgotten.
    need_speech, need_face: whether a voice without speech and a picture without a face
    are left out; min_speech, min_face: shares of the window that are enough.
    electrode_map: whether EEG is left out in which neighbors are no more alike than
    electrodes far from each other. own_voice, own_face: whether a voice or a face is
    left out that is hardly the person's whom the model is calibrated to. outvoted:
    whether one of three modalities is left out that contradicts the two others for a
    while.
    """

    flat_uv: float = Field(default=0.5, ge=0)
    line_ratio: float = Field(default=3.0, gt=0)
    noisy_uv: float = Field(default=1000.0, gt=0)
    comes_s: float = Field(default=1.0, ge=0, le=600)
    goes_s: float = Field(default=3.0, ge=0, le=600)
    need_speech: bool = True
    min_speech: float = Field(default=0.1, ge=0, le=1)
    need_face: bool = True
    min_face: float = Field(default=0.4, ge=0, le=1)
    electrode_map: bool = True
    own_voice: bool = True
    own_face: bool = True
    outvoted: bool = False


class Must(_Section):
    """What a session must have, or nothing is recorded.

    streams: that must deliver. electrodes: that must be there and good. bad_electrodes:
    how many may be bad or missing at the most. face: one must be seen. markers: the LSL
    stream of markers that must be there; it is recorded in place of the one beside the
    EEG. free_gb: of disk, where the recording goes. marks: markers that a recording
    must hold when it has ended. sound: whether a loss is heard until it is
    acknowledged.
    """

    streams: tuple[Literal["eeg", "audio", "video"], ...] = ()
    electrodes: tuple[str, ...] = ()
    bad_electrodes: int | None = Field(default=None, ge=0, le=N_CHANNELS)
    face: bool = False
    markers: str | None = Field(default=None, min_length=1)
    free_gb: float = Field(default=0.0, ge=0)
    marks: tuple[str, ...] = ()
    sound: bool = False

    @field_validator("electrodes")
    @classmethod
    def _spelled(cls, electrodes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_electrode, electrodes))

    @property
    def judged(self) -> bool:
        """Whether it takes a look at the electrodes."""
        return bool(self.electrodes) or self.bad_electrodes is not None

    @property
    def anything(self) -> bool:
        """Whether something has to be there while a session runs."""
        named = self.streams or self.markers or self.face or self.free_gb
        return bool(named) or self.judged


class Participant(_Section):
    """What the person sees in a window of their own; never estimates.

    screen: the number of the screen that it fills, counted from 1, or "window"; null
    for no such window; --participant-screen wins. notice: until it is acknowledged,
    before the first estimate of a session. shows: afterwards; "neutral": `text`; "cue":
    `text`, and whenever a mark's key is pressed the cue that belongs to it; "nothing":
    a black screen. text: empty for a page without words. cues: what a mark's key shows,
    1 to 9; without one its mark's name.
    """

    screen: Annotated[int, Field(ge=1, le=9)] | Literal["window"] | None = None
    notice: str = Field(
        default=(
            "In this session a computer program estimates emotions from your face, "
            "your voice or your EEG. Its estimates are guesses at acted emotions and "
            "say nothing certain about you. You will not be shown any, and you may end "
            "the session whenever you wish."
        ),
        min_length=1,
    )
    shows: Literal["cue", "neutral", "nothing"] = "neutral"
    text: str = ""
    cues: dict[
        Annotated[str, Field(pattern="^[1-9]$")], Annotated[str, Field(min_length=1)]
    ] = Field(default_factory=dict)


class DecisionLogging(_Section):
    """Whether each session's decisions are kept in the user's folder for data.

    keep: a file a session, with who agreed and was informed. retention_days: removed
    when so old; 183 days are the six months of Art. 26(6) of the AI Act.
    """

    keep: bool = False
    retention_days: int = Field(default=183, ge=1, le=36_500)


def _mark(name: str) -> str:
    if not name.strip():
        raise ValueError("a mark's name is empty")
    return name.strip()


class LiveConfig(_Section):
    """A whole live.toml, but for its table [session].

    marks: what the keys 1 to 9 mark in a recording.
    """

    eeg: EegStream = EegStream()
    audio: AudioDevice = AudioDevice()
    video: VideoDevice = VideoDevice()
    quality: QualitySettings = QualitySettings()
    consent: ConsentForm = ConsentForm()
    participant: Participant = Participant()
    window: Window = Window()
    must: Must = Must()
    decision_log: DecisionLogging = DecisionLogging()
    marks: dict[
        Annotated[str, Field(pattern="^[1-9]$")], Annotated[str, AfterValidator(_mark)]
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _cues_have_marks(self) -> "LiveConfig":
        for key in self.participant.cues:
            if key not in self.marks:
                raise ValueError(
                    f"the cue of key {key} under [participant.cues] is of no mark; "
                    f"give {key} a name under [marks]"
                )
        return self


def read_live_config(path: Path | str | None) -> tuple[LiveConfig, Mapping[str, Any]]:
    """Read a TOML file: its sections, and its table [session] as it stands.

    Without a file everything has its default. Raises LiveConfigError naming the key
    and the file.
    """
    if path is None:
        return LiveConfig(), {}
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LiveConfigError(
            f"{path} cannot be read ({error}); give a file such as configs/live.toml"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise LiveConfigError(f"{path} is not valid TOML: {error}") from error
    session = values.pop("session", {})
    if not isinstance(session, dict):
        raise LiveConfigError(f"{path}: session is no table; write [session]")
    try:
        return LiveConfig.model_validate(values), session
    except ValidationError as error:
        raise LiveConfigError(f"{path}: {explain_faults(error, LiveConfig)}") from error
