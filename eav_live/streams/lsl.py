"""One LSL inlet: found by type and name, opened, read, and missed when it is gone.

A stream is asked for by its name, or the beginning of it; where two have one name, by
NAME@HOST or by its source id.
"""

import logging
import socket
import string
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from xml.etree import ElementTree

import numpy as np
import pylsl

from eav_live.streams import LOST_SECONDS, Origin
from eav_live.streams.clock import ClockGuard
from eav_offline.common.errors import SourceRefused
from eav_offline.core.electrodes import Channel, ChannelMap

log = logging.getLogger(__name__)

T = TypeVar("T")

# Computers that liblsl's settings name (KnownPeers) are asked half a second after those
# that multicast reaches, so a shorter look never finds them.
RESOLVE_SECONDS = 0.6
OPEN_SECONDS = 3.0
_ASK_SECONDS = 0.25  # at once, of the three: a session that ends waits no longer
_WARNING_SECONDS = 2.0  # at least, between two about the clock
# Streams of these types stand beside an EEG stream and begin with its name.
_KNOWN_TYPES = ("eeg", "audio", "videoraw", "markers", "emotion")
_CORRECTION_SECONDS = 5.0  # LSL renews its own estimate about as often


class StreamLost(Exception):
    """The stream is gone; look for it again."""


def of_type(kind: str) -> str:
    """An LSL query for streams of a type, whatever the case it is written in."""
    upper, lower = string.ascii_uppercase, string.ascii_lowercase
    return f"translate(type, '{upper}', '{lower}')='{kind.casefold()}'"


def handle(info: pylsl.StreamInfo, among: Iterable[pylsl.StreamInfo]) -> str:
    """What chooses this stream `among` all that are visible, of those of its type.

    Its name, else NAME@HOST, else the source id; empty if it shares all of them.
    """
    alike = [i for i in among if i.type().casefold() == info.type().casefold()]
    for value in (info.name(), f"{info.name()}@{info.hostname()}", info.source_id()):
        if value and len(_matching(alike, value)) == 1:
            return value
    return ""


def until_answered(ask: Callable[[float], T], stop: threading.Event | None) -> T:
    """What a sender answers within three seconds to `ask`, a method with a timeout.

    A sender that has just gone is still listed, and LSL waits for it to the end; so it
    is asked again and again, until `stop` is set. Raises TimeoutError or LostError of
    pylsl.
    """
    deadline = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            return ask(_ASK_SECONDS)
        except pylsl.util.TimeoutError:
            if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                raise


def describe(info: pylsl.StreamInfo) -> str:
    """A visible stream in one line, with all that tells it from others."""
    rate = info.nominal_srate()
    pace = f"at {rate:g} Hz" if rate else "irregular"
    return (
        f"{info.name()} on {info.hostname()} ({info.type() or 'no type'}, "
        f"{info.channel_count()} channels {pace}, source id "
        f"{info.source_id() or 'none'})"
    )


def _matching(found: list[pylsl.StreamInfo], wanted: str) -> list[pylsl.StreamInfo]:
    """The streams that `wanted` means: the most exact way to name some counts."""
    ways: tuple[Callable[[pylsl.StreamInfo], bool], ...] = (
        lambda i: i.name() == wanted,
        lambda i: f"{i.name()}@{i.hostname()}" == wanted,
        lambda i: i.source_id() == wanted,
        lambda i: i.name().startswith(wanted),
    )
    matches = ([info for info in found if meant(info)] for meant in ways)
    return next(filter(None, matches), [])


class LslInlet:
    """Finds the stream of one type by name, and reads it without LSL's own recovery.

    LSL's recovery blocks silently and drops what comes first, so it is off: a stream
    that is gone raises StreamLost, and `open` finds it again under the same name.
    A silent one is kept as long as its sender is there.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        clock: Callable[[], float],
        buffer_s: int = 30,
        max_chunk: int = 0,
        delay_s: float = 0.0,
    ) -> None:
        """kind: LSL content type, in any case; a stream that states none is taken too,
        for what it carries is looked at anyway. name: of the stream or its beginning,
        NAME@HOST or its source id. buffer_s: what LSL keeps for a slow reader.
        max_chunk: samples sent at once, 0 as the sender likes. delay_s: from an event
        to its stamp; subtracted.
        """
        self.kind, self.name = kind, name
        self.visible: tuple[str, ...] = ()
        self._elsewhere = ""  # the stream that is meant, under another type
        self.header: pylsl.StreamInfo | None = None
        self._clock, self._delay_s = clock, delay_s
        self._buffer_s, self._max_chunk = buffer_s, max_chunk
        self._warned = -np.inf
        self.guard = ClockGuard()
        self._inlet: pylsl.StreamInlet | None = None
        self._source_id = ""
        self._heard = 0.0
        self._same_clock = True
        self._correction = 0.0
        self._corrected = -np.inf

    @property
    def is_open(self) -> bool:
        """Whether there is a sender, as far as is known."""
        return self._inlet is not None

    def open(self, stop: threading.Event | None = None) -> pylsl.StreamInfo | None:
        """Look for the stream for half a second and open it.

        stop: when it is set, nothing is opened, or waited for, any more.
        Returns the full header, or None if nothing matches (`visible` then says what
        there is). Raises SourceRefused if several streams match.
        """
        found = pylsl.resolve_streams(RESOLVE_SECONDS)
        kind = self.kind.casefold()
        typed = [info for info in found if info.type().casefold() == kind]
        self.visible = tuple(sorted(info.name() for info in typed))
        info = self._choose(typed) or self._choose([i for i in found if not i.type()])
        self._elsewhere = ""
        if info is None:
            self._elsewhere = _under_another_type(found, self.name)
            return None
        if stop is not None and stop.is_set():
            return None  # opening it, only to close it, would take its time
        inlet = pylsl.StreamInlet(
            info,
            max_buflen=self._buffer_s,
            max_chunklen=self._max_chunk,
            recover=False,
        )
        try:
            header = until_answered(inlet.info, stop)
            until_answered(inlet.open_stream, stop)
            # On one computer all stamps come from one clock. Estimates of 10-50 µs
            # would only move windows by a sample of sound.
            self._same_clock = header.hostname() == socket.gethostname()
            if not self._same_clock:
                self._correction = until_answered(inlet.time_correction, stop)
        except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
            log.info("%s stream %s does not open: %s", self.kind, info.name(), error)
            return None
        self._inlet, self.header = inlet, header
        self.guard.reset(header.nominal_srate())
        self._source_id = header.source_id()
        self._heard = self._corrected = self._clock()
        log.info(
            "%s stream %s found on %s: %d channels at %g Hz",
            self.kind,
            header.name(),
            header.hostname(),
            header.channel_count(),
            header.nominal_srate(),
        )
        return header

    def connect(
        self, accept: Callable[[], None], stop: threading.Event | None = None
    ) -> bool:
        """Open the stream unless it is open; whether it is now.

        accept: called once the header is known; a SourceRefused it raises closes the
        stream again and is passed on. stop: see `open`.
        """
        if self.is_open:
            return True
        if self.open(stop) is None:
            return False
        try:
            accept()
        except SourceRefused:
            self.close()
            raise
        return True

    def pull(
        self,
        wait_s: float = 0.1,
        max_samples: int = 4096,
        into: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """What has arrived: values (n, channels) as sent, stamps (n,) on this clock.

        Waits up to `wait_s` for the first sample. into: memory for `max_samples`, of
        which the values are then a view. Raises StreamLost if the sender is gone.
        """
        inlet = self._inlet
        if inlet is None:
            raise StreamLost("not connected")
        try:
            values, stamps = inlet.pull_chunk(
                timeout=wait_s,
                max_samples=max_samples,
                min_samples=1,
                dest_obj=into,
                as_numpy=True,
            )
            now = self._clock()
            if len(stamps):
                self._heard = now
            elif now - self._heard > LOST_SECONDS:
                self._ask_sender()
                self._heard = now
            return values, self._placed(inlet, stamps, now)
        except pylsl.util.LostError:
            self.close()
            raise StreamLost("the sender is gone") from None

    def available(self) -> int:
        """Samples that wait to be pulled."""
        return self._inlet.samples_available() if self._inlet is not None else 0

    def close(self) -> None:
        """Let go of the stream; `open` looks for it again."""
        inlet, self._inlet = self._inlet, None
        if inlet is not None:
            inlet.close_stream()

    def channels(self) -> list[Channel]:
        """The header's channels in order; empty if it describes none.

        Raises SourceRefused if it describes another number than it sends.
        """
        assert self.header is not None
        described = ElementTree.fromstring(self.header.as_xml()).findall(
            "./desc/channels/channel"
        )
        n = self.header.channel_count()
        if described and len(described) != n:
            raise SourceRefused(
                f"{self.label()} sends {n} channels and its header describes "
                f"{len(described)}; they must agree."
            )
        # Amplifiers that send raw integers leave the factor to the receiver
        # (BrainAmpSeries); with floats it has been applied.
        scaled = self.header.channel_format() in _INTEGERS
        return [
            Channel(
                label=(c.findtext("label") or "").strip(),
                kind=(c.findtext("type") or "").strip(),
                unit=(c.findtext("unit") or "").strip(),
                scaling=_number(c.findtext("scaling_factor")) if scaled else 1.0,
            )
            for c in described
        ]

    def origin(
        self,
        channels: Sequence[Channel],
        montage: ChannelMap | None = None,
        size: tuple[int, int] | None = None,
    ) -> Origin:
        """What the header of the open stream says. size: of frames, pixels."""
        header = self.header
        assert header is not None
        return Origin(
            kind=self.kind,
            name=header.name(),
            rate=header.nominal_srate(),
            channels=tuple(channels),
            source_id=header.source_id(),
            hostname=header.hostname(),
            note=header.desc().child_value("eav_replay"),
            size=size,
            montage=montage,
        )

    def header_text(self, path: str) -> str:
        """A text in the header's desc, such as "reference/label"; empty if absent."""
        assert self.header is not None
        found = ElementTree.fromstring(self.header.as_xml()).findtext(f"./desc/{path}")
        return (found or "").strip()

    def label(self) -> str:
        """The stream as messages name it."""
        name = self.header.name() if self.header is not None else self.name
        return f"{self.kind} stream {name!r}"

    def waiting_for(self) -> str:
        """One line for a stream that is not there."""
        there = ", ".join(self.visible) if self.visible else "none"
        more = (
            f"; there is a stream {self._elsewhere}. Have its program state the type "
            f"{self.kind}"
        )
        return (
            f"looking for an LSL stream of type {self.kind} named {self.name!r}; "
            f"visible of this type: {there}{more if self._elsewhere else ''}"
        )

    def _choose(self, found: list[pylsl.StreamInfo]) -> pylsl.StreamInfo | None:
        matches = _matching(found, self.name)
        if len(matches) > 1 and self._source_id:
            # The stream that was open before, back again.
            again = [i for i in matches if i.source_id() == self._source_id]
            matches = again if len(again) == 1 else matches
        if len(matches) > 1:
            matches.sort(key=lambda i: (i.name(), i.hostname(), i.source_id()))
            handles = dict.fromkeys(filter(None, (handle(i, found) for i in matches)))
            cure = (
                f"Give {' or '.join(map(repr, handles))}, or stop"
                if handles
                else "Nothing tells them apart: stop"
            )
            raise SourceRefused(
                f"{len(matches)} LSL streams of type {self.kind} match {self.name!r}: "
                f"{'; '.join(map(describe, matches))}. {cure} the others."
            )
        return matches[0] if matches else None

    def _ask_sender(self) -> None:
        """Raise StreamLost unless the silent sender still answers.

        A computer that lost power closes no connection; a restarted program has
        another uid.
        """
        assert self.header is not None
        uid = self.header.uid()
        if not pylsl.resolve_bypred(f"uid='{uid}'", minimum=1, timeout=RESOLVE_SECONDS):
            self.close()
            raise StreamLost("the sender no longer answers")

    def _placed(
        self, inlet: pylsl.StreamInlet, stamps: np.ndarray, now: float
    ) -> np.ndarray:
        """Stamps as sent -> capture times on this clock."""
        steps, unstamped = self.guard.steps, self.guard.unstamped
        placed = self.guard.place(stamps + self._offset(inlet, now), now)
        if self.guard.steps > steps or self.guard.unstamped > unstamped:
            # A sender whose every chunk jumps is spoken of once in a while.
            if now - self._warned > _WARNING_SECONDS:
                self._warned = now
                said = self.guard.said or "the sender's clock is right again"
                log.warning("%s: %s", self.label(), said)
        if self.guard.steps > steps:
            self._corrected = -np.inf  # ask for the offset of the clocks anew
        return placed - self._delay_s

    def _offset(self, inlet: pylsl.StreamInlet, now: float) -> float:
        if self._same_clock:
            return 0.0
        if now - self._corrected > _CORRECTION_SECONDS:
            self._corrected = now
            try:
                self._correction = inlet.time_correction(0.1)
            except pylsl.util.TimeoutError:
                log.info("%s: no new clock estimate", self.label())
        return self._correction


def _under_another_type(found: list[pylsl.StreamInfo], name: str) -> str:
    """The stream that `name` may mean though it is of another type; empty if none."""
    for info in _matching(found, name):
        if info.name() == name or info.type().casefold() not in _KNOWN_TYPES:
            return f"{info.name()} of type {info.type()!r}"
    return ""


_INTEGERS = (pylsl.cf_int8, pylsl.cf_int16, pylsl.cf_int32, pylsl.cf_int64)


def _number(text: str | None) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 1.0
