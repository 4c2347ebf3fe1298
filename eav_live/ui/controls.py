"""What runs a session from its window: pause, record, mark; all of it by keyboard."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from eav_live.recording.consent import Consent
from eav_live.recording.recorder import free_gb
from eav_live.running import Running
from eav_live.ui.opening import Background
from eav_live.ui.panels.card import OverCard
from eav_live.ui.panels.consent_card import ConsentCard
from eav_live.ui.panels.keys_card import DASHBOARD_KEYS, KeysCard
from eav_live.ui.panels.session_bar import SessionBar
from eav_live.ui.words import later, said, tr
from eav_offline.common.errors import plain_words

if TYPE_CHECKING:
    from eav_live.ui.dashboard import Dashboard

PAUSED = later(
    "Paused\nNo estimates are made. Streams come in, and are recorded if a "
    "recording runs.\nPress P to go on."
)
UNINFORMED = later(
    "Waiting for the person to acknowledge the notice\nNo estimate is made before. "
    "It is on the person's screen; if they have read it elsewhere, press N."
)
_ROOM_SECONDS = 5.0  # between looks at the disk


class Controls:
    """The bar of a dashboard, and the panels that it opens.

    Beginning and ending a recording take a while, and are done beside the window.
    """

    def __init__(self, running: Running, window: "Dashboard") -> None:
        self._running, self._window = running, window
        self._busy: Background | None = None
        self._informed: list[Callable[[], object]] = []
        self._show_cue: Callable[[str], object] = lambda text: None
        self._cued = False
        self._room: tuple[float, float | None] = (-float("inf"), None)
        self._shown: Path | None = None  # what the bar says is being recorded
        self._told = 0  # recordings whose end was told
        streams, config = running.streams, running.streams.config
        what = {"EEG": streams.eeg_stream, "voice": streams.audio}
        what["face"] = streams.video
        asked = [name for name, source in what.items() if source not in (None, "none")]
        self.bar = SessionBar(self._press, config.marks)
        self.consent = ConsentCard(tr(config.consent.text), asked, window)
        self.consent.agreed.connect(self._record)
        self.keys = KeysCard(DASHBOARD_KEYS, window)
        self.over: tuple[OverCard, ...] = (self.consent, self.keys)
        self._actions: dict[str, Callable[[], object]] = {
            "P": self.pause,
            "R": self.record,
            "N": self.acknowledge,
            "0": self.end_cue,
            "?": self.toggle_keys,
            "F1": self.toggle_keys,
        }
        for key, action in self._actions.items():
            window.bind(key, action)
        if not running.informed:
            window.emotion.set_message(tr(UNINFORMED))
        self._actions |= {"M": window.note, "Ctrl+Q": window.close}
        self._actions |= {key: partial(window.mark, key) for key in config.marks}

    def pause(self) -> None:
        """Pause the estimates, or go on."""
        session = self._running.session
        if not self._running.informed:
            self.bar.say(
                tr("The person has not acknowledged the notice: N does it here")
            )
            return
        session.pause(not session.paused)
        event = "estimates paused" if session.paused else "estimates go on"
        self._running.note(event)
        self._window.emotion.set_message(tr(PAUSED) if session.paused else "")
        self._show_state()

    def acknowledge(self) -> None:
        """The person has read the notice, on their screen or on paper."""
        if self._running.informed:
            return
        self._running.acknowledge()
        self._window.emotion.set_message("")
        self.bar.say(tr("The notice was acknowledged"))
        for show in self._informed:
            show()
        self._show_state()

    def cue(self, key: str) -> None:
        """Show the person the cue of a mark's key, if their window shows cues."""
        window, shown = self._window.participant, self._running.streams.config
        if window is None or shown.participant.shows != "cue":
            return
        text = shown.participant.cues.get(key, shown.marks[key])
        if not window.isVisible():
            self.bar.say(tr("No cue: the person's window was closed"))
        elif self._running.informed:
            self._cued = True
            self._show_cue(text)
            self.bar.say(tr("The person is shown: {text}", text=text))
        else:
            self.bar.say(tr("No cue: the person has not acknowledged the notice"))

    def end_cue(self) -> None:
        """Show the person the page without a cue again."""
        if self._cued:
            self._cued = False
            self._running.note("cue ended")
            self._show_cue("")
            self.bar.say(tr("The person is shown no cue"))

    def when_cued(self, show: Callable[[str], object]) -> None:
        """Call `show` with each cue; with none when it ends."""
        self._show_cue = show

    def when_informed(self, show: Callable[[], object]) -> None:
        """Call `show` when the person has acknowledged the notice."""
        self._informed.append(show)

    def record(self) -> None:
        """End the recording, or begin one, after consent unless it was given."""
        if self._busy is not None:
            return
        begins = tr("The recording begins\u2026")
        takes = self._running.takes
        if self._running.recording is not None:
            self._do(self._end_recording, tr("The recording ends\u2026"))
        elif takes is not None:  # agreed to already
            self._do(
                lambda: tr("Recording to {file}", file=takes.begin_next().name), begins
            )
        elif self.consent.isVisible():
            self.consent.leave()
        else:
            self.consent.ask()

    def toggle_keys(self) -> None:
        """Show what the keys do, or no longer."""
        self.keys.setVisible(self.keys.isHidden())
        self.keys.place()

    def leave(self) -> None:
        """Take away the panel that lies over the others, if one does."""
        if self.consent.isVisible():
            self.consent.leave()
        else:
            self.keys.hide()

    def refresh(self, now: float) -> None:
        """Bring the clock up to date, `now` on the session's clock."""
        self._notice_others()
        live = self._running.session.first_live
        self.bar.show_clock(None if live is None else now - live, self._free_gb())

    def set_scale(self, scale: float) -> None:
        for part in (self.bar, self.consent, self.keys):
            part.set_scale(scale)

    def _notice_others(self) -> None:
        """Show recordings that another program begins and ends."""
        recording, takes = self._running.recording, self._running.takes
        if takes is not None and self._busy is None:
            if recording is not None and recording != self._shown:
                self.bar.say(tr("Recording to {file}", file=recording.name))
            found = list(takes.said.values())
            if len(found) > self._told:
                text = tr("Recording ended. {found}", found=said(found[-1]))
                self.bar.say(text)
            self._told = len(found)
        if recording != self._shown:
            self._show_state()

    def _press(self, key: str) -> None:
        self._actions[key]()

    def _record(self, path: Path, consent: Consent) -> None:
        must = self._running.streams.config.must.anything
        waits = tr("Waiting for what the session must have\u2026")

        def begin() -> str:
            self._running.record(path, consent)
            return tr("Recording to {file}", file=path.name)

        self._do(begin, waits if must else tr("The recording begins\u2026"))

    def _end_recording(self) -> str:
        found = said(self._running.end_recording())
        return tr("Recording ended. {found}", found=found)

    def _do(self, work: Callable[[], str], meanwhile: str) -> None:
        self.bar.say(meanwhile)
        told: list[str] = []
        self._busy = Background(lambda say: told.append(work()))
        self._busy.tell(
            done=lambda: self._done(told[0]),
            failed=lambda error: self._done(said(plain_words(error) or repr(error))),
            said=self.bar.say,
            noted=lambda text: None,
        )
        self._busy.start()
        self._show_state()

    def _done(self, text: str) -> None:
        self._busy = None
        if self._window.isVisible():
            self._window.watch_recording(self._running.recorder, self._running.guard)
            self._show_state()
            self.bar.say(text)

    def _show_state(self) -> None:
        self._shown = self._running.recording
        self.bar.show_state(
            self._running.session.paused,
            self._shown is not None,
            self._busy is not None,
        )

    def _free_gb(self) -> float | None:
        """Room where a recording goes, or would go, GB."""
        at, room = self._room
        if monotonic() - at > _ROOM_SECONDS:
            recorder = self._running.recorder
            try:
                room = free_gb(Path.cwd() if recorder is None else recorder.folder)
            except OSError:  # a disk that was unplugged, a folder that was removed
                room = None
            self._room = monotonic(), room
        return room
