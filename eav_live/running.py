"""One session with all that is written of it, from its opening to its exit status.

Importing this loads neither models nor streams: a window stands before they do.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from eav_live.options import SessionOptions
from eav_offline.common.console import DONE, FAILED, require_folder
from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.control.server import Address
    from eav_live.logs.decisions import DecisionLog
    from eav_live.logs.lines import Lines
    from eav_live.logs.timings import Timings
    from eav_live.recording.consent import Consent
    from eav_live.recording.guard import Guard
    from eav_live.recording.recorder import Recorder
    from eav_live.recording.takes import Takes
    from eav_live.session.inference import Session

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 3.0  # time the EEG has to be refused before a session counts as open


class Abandoned(Exception):
    """Nobody waits for the session any more."""


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What is written of a session beside what is shown.

    json: open, for a line of each prediction; None for none. text: the same for people,
    into the terminal. publish: name of LSL streams. timings, record: files. control:
    where other programs begin and end recordings, and the token that they give.
    """

    json: IO[str] | None = None
    text: IO[str] | None = None
    publish: str | None = None
    timings: Path | None = None
    record: Path | None = None
    control: "tuple[Address, str | None] | None" = None


class Running:
    """Opens a session, in any thread; then it is shown, then closed.

    consent: to what is recorded; None if nothing is. informs: no estimate is made until
    the person has acknowledged the notice.
    """

    def __init__(
        self,
        streams: SessionOptions,
        outputs: Outputs,
        consent: "Consent | None" = None,
        informs: bool = False,
    ) -> None:
        self.streams = streams
        self.informed = not informs
        self._acknowledged: str | None = None  # when the notice was
        self.consent = consent
        self.lines: Lines | None = None
        self.decisions: DecisionLog | None = None
        self.timings: Timings | None = None
        self.recorder: Recorder | Takes | None = None
        self.guard: Guard | None = None
        self._outputs = outputs
        self._window_wall: float | None = None
        self._session: Session | None = None
        self._held: Recorder | None = None  # begins when the guard is content
        self._takes: Takes | None = None
        self._whole = True  # all that was recorded
        self._ends = ExitStack()
        self._closing = threading.Lock()
        self._abandoned = threading.Event()

    @property
    def session(self) -> "Session":
        """The session, once it is open."""
        assert self._session is not None
        return self._session

    def open(self, say: Callable[[str], None] = lambda text: None) -> None:
        """Load the model, start the streams, begin to record.

        say: is told what is being done. Whatever is raised, all is closed again.
        Raises InputRefused for what cannot be used; Abandoned after `abandon`.
        """
        try:
            self._load(say)
            self._start(say)
        except BaseException:
            self.close()
            raise

    def stood(self, wall: float) -> None:
        """The window stood at this time of day, which the timings note."""
        self._window_wall = wall

    def abandon(self) -> None:
        """End the opening as soon as may be."""
        self._abandoned.set()

    def close(self) -> None:
        """End the session, then what records it, which takes down its end."""
        with self._closing:
            self._ends.close()
            if self.recorder is not None:
                self.recorder.stop()

    def acknowledge(self) -> None:
        """The person has read the notice: estimates are made from now on."""
        if self.informed:
            return
        from eav_live.logs.decisions import now

        self.informed = True
        self._acknowledged = now().isoformat(timespec="seconds")
        log.info("The notice to the person was acknowledged")
        self.note("notice acknowledged")
        self.session.pause(False)

    @property
    def person(self) -> str | None:
        """Code of whom the session is, as far as anybody has said."""
        return self.streams.person if self.consent is None else self.consent.person

    def note(self, event: str) -> None:
        """Put an event among the markers of what is being recorded, if anything is."""
        recorder = self.recorder
        if recorder is not None and recorder.running is not None:
            with suppress(InputRefused):  # another program has ended it meanwhile
                recorder.mark({"event": event}, self.session.clock())

    def record(self, path: Path, consent: "Consent") -> None:
        """Begin to record the session that runs, in twelve seconds at most.

        Raises InputRefused if a file cannot be made, or what must be there is not.
        """
        from eav_live.recording.paths import check_name

        check_name(path)
        require_folder(path.absolute().parent, str(path))
        recorder, guard = self._make_recorder(path, consent, joined=True)
        try:
            if guard is not None:
                guard.require(judge=self._go_on)
            with self._closing:  # which ends it, if it has begun
                self._go_on()
                recorder.start()
                self.recorder, self.guard, self.consent = recorder, guard, consent
        except BaseException:
            recorder.stop()
            raise

    @property
    def recording(self) -> "Path | None":
        """The file that is being written, None if none is."""
        return None if self.recorder is None else self.recorder.running

    @property
    def takes(self) -> "Takes | None":
        """What other programs begin and end, if they may and there is consent."""
        return self._takes

    def end_recording(self) -> str:
        """End the recording, look it through, and say in a sentence how it is.

        Raises RecordingRefused if another program has ended it.
        """
        from eav_live.recording.verifying import verify_at_end

        with self._closing:
            recorder = self.recorder
            if recorder is None:
                return ""
            if self._takes is None:
                self.recorder, self.guard = None, None
                recorder.stop()
                self._whole &= recorder.whole
                path = recorder.paths[0]
            else:
                path = self._takes.end()
        if self._takes is None:
            return verify_at_end(path)
        self._takes.wait()
        return self._takes.said[path]

    def outcome(self, status: int) -> int:
        """The exit status, given that of the window or of the wait; after `close`.

        A recording is looked through. What lost something, or predicted nothing, has
        failed.
        """
        if self._takes is not None:  # they are looked through as they end
            self._takes.wait()
            self._whole &= self._takes.whole
        elif self.recorder is not None:
            from eav_live.recording.verifying import verify_at_end

            verify_at_end(self.recorder.paths[0])
            self._whole &= self.recorder.whole
        written = (self.lines, self.decisions)
        unwritten = any(w is not None and w.error is not None for w in written)
        if unwritten or not self._whole:
            return FAILED  # they have said so
        return outcome(status, self.session)

    # Opening it

    def _load(self, say: Callable[[str], None]) -> None:
        say(f"Loading {_model_words(self.streams)}\u2026")
        from eav_live.session.opening import open_session

        # What is recorded from the beginning needs a model to begin.
        at_once = self._outputs.record is None
        self._session = session = open_session(self.streams, at_once=at_once)
        self._ends.callback(session.stop)
        if not self.informed:
            session.pause(True)
        self._go_on()
        person = self.streams.person
        self._keep_timings(session, person)
        self._write_lines(session, person)
        self._log_decisions(session)
        if self.consent is not None:
            self._prepare_recording(session, self.consent)
        self._publish(session)

    def _start(self, say: Callable[[str], None]) -> None:
        from eav_live.logs.session_log import SessionLog

        session = self.session
        session_log = SessionLog(session)
        say(f"Looking for {_stream_words(self.streams)}\u2026")
        session.start()
        session_log.start()
        # The session ends first of all, the recorder last: it takes down that end.
        self._ends.callback(session.stop)
        self._ends.callback(session_log.stop)
        self._refuse_unusable(session)
        if self._outputs.control is not None:
            self._listen(self._outputs.control)
        elif self._held is not None and self.guard is not None:
            say("Waiting for what the session must have\u2026")
            self.guard.require(judge=self._go_on)
            self._held.start()

    def _keep_timings(self, session: "Session", person: str | None) -> None:
        if self._outputs.timings is None:
            return
        from eav_live.logs.timings import Timings

        recognizer = session.recognizer
        self.timings = timings = Timings(
            self._outputs.timings, session.clock, lambda: recognizer.backend_name
        )
        self._ends.callback(timings.close)
        timings.session(session.model_name, session.hop, person)
        if self._window_wall is not None:
            timings.stood(self._window_wall)
        session.subscribe(timings.made)
        if session.markers is not None:
            session.markers.listen(timings.marked)

    def _write_lines(self, session: "Session", person: str | None) -> None:
        from eav_live.logs.lines import Lines, as_json, as_text

        if self._outputs.json is not None:
            self.lines = Lines(self._outputs.json, partial(as_json, person))
        elif self._outputs.text is not None:
            self.lines = Lines(self._outputs.text, as_text)
        if self.lines is not None:
            self._ends.callback(self.lines.close)
            session.subscribe(self.lines.write)

    def _log_decisions(self, session: "Session") -> None:
        """Remove decision logs whose time is over; begin one if it is asked for."""
        from eav_live.logs.decisions import DecisionLog, remove_outdated

        remove_outdated()
        wanted = self.streams.config.decision_log
        if not wanted.keep:
            return
        from eav_live.session.opening import session_settings

        model = session_settings(self.streams, session)["model"]
        assert isinstance(model, dict)
        told = {key: model.get(key) for key in ("name", "sha256", "demo", "knows")}
        self.decisions = DecisionLog(told, wanted.retention_days, self._who)
        self._ends.callback(self.decisions.close)
        session.subscribe(self.decisions.write)

    def _who(self) -> dict[str, str | None]:
        """Whose the session is now, when they agreed, and when they were informed."""
        return {
            "person": self.person,
            "consent": None if self.consent is None else self.consent.at,
            "notice": self._acknowledged,
        }

    def _prepare_recording(self, session: "Session", consent: "Consent") -> None:
        """Take what comes in; the file is made when what must be there is there."""
        path = self._outputs.record
        assert path is not None
        if self._outputs.control is not None:
            self.recorder = self._takes = self._make_takes(path, consent)
            return
        recorder, self.guard = self._make_recorder(path, consent)
        self.recorder = self._held = recorder
        if self.guard is None:
            recorder.start()

    def _make_recorder(
        self, path: Path, consent: "Consent", joined: bool = False
    ) -> "tuple[Recorder, Guard | None]":
        """What records, which has begun to listen, and what watches over it.

        joined: the session has been running for a while.
        """
        from eav_live.recording.guard import guard_of
        from eav_live.recording.recorder import Recorder
        from eav_live.recording.takes import JOINED
        from eav_live.session.opening import session_settings

        session = self.session
        settings = session_settings(self.streams, session)
        if joined:
            settings = {**settings, JOINED: True}
        guard = guard_of(self.streams.config.must, session, path)
        recorder = Recorder(path, consent, session, settings, hold=guard is not None)
        session.subscribe(recorder.take_prediction)
        return recorder, guard

    def _make_takes(self, path: Path, consent: "Consent") -> "Takes":
        """What records whenever another program says so."""
        from eav_live.recording.guard import guard_of
        from eav_live.recording.takes import Takes
        from eav_live.session.opening import session_settings

        session = self.session
        settings = session_settings(self.streams, session)
        self.guard = guard_of(self.streams.config.must, session, path)
        takes = Takes(path, consent, session, settings, self.guard)
        session.subscribe(takes.take_prediction)
        return takes

    def _listen(self, control: "tuple[Address, str | None]") -> None:
        """Let other programs ask and, if there is consent to it, record."""
        from eav_live.control.desk import Desk
        from eav_live.control.server import ControlServer

        address, token = control
        server = ControlServer(address, Desk(self.session, self._takes), token)
        server.start()
        self._ends.callback(server.stop)

    def _publish(self, session: "Session") -> None:
        """The outlets of --publish, open and subscribed."""
        if self._outputs.publish is None:
            return
        from eav_live.outlets.publishing import Publisher

        publisher = Publisher(
            self._outputs.publish,
            model=session.model_name,
            demo=session.demo,
            hop=session.hop,
            knows=session.knows,
        )
        self._ends.callback(publisher.close)
        session.subscribe(publisher.publish)

    def _refuse_unusable(self, session: "Session") -> None:
        """End before anything is shown if what is there cannot be used."""
        from eav_live.recognition.predictions import StreamState

        waiting = (StreamState.CONNECTING, StreamState.REFUSED)
        # The EEG is what a session is about; without it, any stream that comes will do.
        awaited = ["eeg"] if "eeg" in session.sources else list(session.sources)
        for _ in range(round(_SETTLE_SECONDS / _POLL_SECONDS)):
            self._go_on()
            end_if_refused(session)
            health = session.health()
            if any(health[m].state not in waiting for m in awaited):
                return
            self._abandoned.wait(_POLL_SECONDS)
        for modality in awaited:
            log.info(
                "Waiting for %s: %s. %s",
                modality,
                health[modality].name,
                health[modality].detail or "None seen.",
            )

    def _go_on(self) -> None:
        if self._abandoned.is_set():
            raise Abandoned


def end_if_refused(session: "Session") -> None:
    """Raise InputRefused if the EEG, or every stream asked for, is refused.

    A session goes on without a refused voice or face, which its state and the log say.
    """
    from eav_live.recognition.predictions import StreamState

    health = session.health()
    refused = [m for m in session.sources if health[m].state is StreamState.REFUSED]
    if "eeg" in refused or len(refused) == len(session.sources):
        raise InputRefused(" ".join(health[m].detail for m in refused))


def outcome(status: int, session: "Session") -> int:
    """The exit status: a session that predicted nothing has failed."""
    if status == DONE and session.n_predictions == 0:
        log.error("Nothing was predicted. %s", _why_nothing(session))
        return FAILED
    return status


def _why_nothing(session: "Session") -> str:
    """Of each stream, why nothing was made of it."""
    from eav_live.recognition.predictions import STREAMING, StreamState
    from eav_offline.core.window import WINDOW_SECONDS

    reasons = session.newest.reasons if session.newest is not None else {}
    told = []
    for modality, health in (session.health_at_end or session.health()).items():
        if health.state is StreamState.OFF:
            continue
        streams = health.state in STREAMING
        why = reasons.get(modality, "") if streams else health.detail
        why = f", {why.removesuffix('.')}" if why else ""
        told.append(f"{modality}: {health.state}{why}")
    return f"{'; '.join(told)}. A window takes {WINDOW_SECONDS:g} s without a gap"


def _model_words(streams: SessionOptions) -> str:
    if streams.model is not None:
        return f"the model {Path(streams.model).name}"
    return "the demo and its model" if streams.demo else "the embedded model"


def _stream_words(streams: SessionOptions) -> str:
    """The streams that are asked for, in words."""
    if streams.demo:
        return "the demo's streams"
    named = []
    if streams.eeg_stream not in (None, "none"):
        named.append(f"EEG stream {streams.eeg_stream}")
    for source, kind in ((streams.audio, "microphone"), (streams.video, "camera")):
        how, _, rest = source.partition(":")
        if how == "lsl":
            named.append(f"stream {rest}")
        elif how == "file":
            named.append(Path(rest).name)
        elif how != "none":
            named.append(kind)
    return ", ".join(named) or "streams"
