"""The remote control: what is done, what is refused, and who may speak."""

import json
import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, get_native_id
from types import SimpleNamespace
from typing import Any

import numpy as np
import pylsl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import CONSENT, FakeSession, eeg_arrival
from source_helpers import wait_for

from eav_live import cli
from eav_live.control.desk import MOST_AWAY, Desk, named_file, understood
from eav_live.control.server import (
    MOST_CLIENTS,
    MOST_LINE,
    Address,
    ControlServer,
    read_address,
    read_token,
)
from eav_live.options.config import Must
from eav_live.recognition.predictions import StreamState
from eav_live.recording.guard import Guard
from eav_live.recording.repredicting import joined_late, reaches_back
from eav_live.recording.takes import Takes
from eav_live.recording.verifying import verify
from eav_live.streams import Arrival
from eav_offline.common.errors import InputRefused
from eav_offline.data.sessions.session import read_session
from eav_offline.data.sessions.xdf import read_xdf

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "psychopy_style.py"
TOKEN = "0123456789abcdef"
LOOPBACK = Address("127.0.0.1", 0, True)


class Controlled(FakeSession):
    """A session on the real clock, as far as the remote control sees it."""

    model_name, n_predictions, error, newest = "ours", 7, None, None
    interpolated: tuple[str, ...] = ()

    def clock(self) -> float:
        return pylsl.local_clock()


@pytest.fixture
def session() -> Controlled:
    return Controlled()


@pytest.fixture
def takes(session: Controlled, tmp_path: Path) -> Iterator[Takes]:
    with Takes(tmp_path / "P01.xdf", CONSENT, session, {}) as made:  # type: ignore[arg-type]
        yield made
    made.wait()  # what is looked through at its end


@pytest.fixture
def desk(session: Controlled, takes: Takes) -> Desk:
    return Desk(session, takes)  # type: ignore[arg-type]


@pytest.fixture
def port(desk: Desk) -> Iterator[int]:
    server = ControlServer(LOOPBACK, desk)
    server.start()
    yield server.port
    server.stop()


def ask(desk: Desk, line: str) -> str:
    return desk.answer(line.encode(), desk.now)


def connect(port: int) -> Any:
    connection = socket.create_connection(("127.0.0.1", port), 5)
    lines = connection.makefile("rw", encoding="utf-8", newline="\n")
    connection.close()  # once the file is
    return lines


def send(lines: Any, text: str) -> str:
    lines.write(f"{text}\n")
    lines.flush()
    answer: str = lines.readline()
    return answer.rstrip("\n")


def markers(path: Path) -> list[tuple[dict[str, object], float]]:
    """What was marked in a recording, and when."""
    found = [s for s in read_xdf(path).streams if s.name == "EAV-Live Markers"]
    (stream,) = found
    texts = [json.loads(row[0]) for row in stream.values]
    return list(zip(texts, stream.stamps.tolist(), strict=True))


@pytest.mark.timing
def test_the_example_starts_marks_and_stops_a_recording(
    port: int, takes: Takes, session: Controlled
) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(port)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    (path,) = takes.paths
    assert f"recorded {path}" in done.stdout
    said = [line.split(" at ") for line in done.stdout.splitlines() if " at " in line]
    found = {str(m["mark"]): stamp for m, stamp in markers(path)}
    assert list(found) == [f"stimulus {i}" for i in range(3)]
    for name, at in said:
        assert found[name] == pytest.approx(float(at.split()[0]), abs=2e-3)


@pytest.mark.timing
def test_a_mark_is_within_20_ms_of_its_time_whether_it_is_sent_or_not(
    port: int, takes: Takes
) -> None:
    lines = connect(port)
    send(lines, "start")
    sent: dict[str, float] = {}
    for i in range(20):
        sent[f"now {i}"] = pylsl.local_clock()
        assert send(lines, f"mark now {i}") == "OK"
        sent[f"own {i}"] = own = pylsl.local_clock() - 3.0 + i
        line = json.dumps({"do": "mark", "text": f"own {i}", "t": own})
        assert json.loads(send(lines, line)) == {"ok": True, "t": own}
    send(lines, "stop")
    found = {str(m["mark"]): stamp for m, stamp in markers(takes.paths[0])}
    assert found.keys() == sent.keys()
    late = {name: abs(found[name] - at) for name, at in sent.items()}
    assert max(late.values()) < 0.02
    assert max(s for name, s in late.items() if name.startswith("own")) < 1e-6


def test_labrecorders_words_are_understood(desk: Desk, takes: Takes) -> None:
    folder = takes.next.parent
    for line in (
        "update",
        "select all",
        f"filename {{root:{folder}}} {{participant:P01}} {{session:1}} {{run:2}}",
        "start",
        "mark stimulus 7",
        "stop",
    ):
        assert ask(desk, line) == "OK", line
    assert takes.paths == [folder / "sub-P01_ses-1_run-2.xdf"]
    assert [m for m, _ in markers(takes.paths[0])] == [{"mark": "stimulus 7"}]


def test_several_recordings_of_one_session_each_hold_what_came_while_they_ran(
    desk: Desk, takes: Takes, session: Controlled
) -> None:
    listeners: list[Callable[[Arrival], None]] = []
    session.sources["eeg"].listen = listeners.append  # type: ignore[method-assign]

    def come(n: int) -> None:
        arrival = eeg_arrival(np.zeros((30, n), np.float32), pylsl.local_clock())
        for listener in listeners:
            listener(arrival)

    for name, n in (("a", 50), ("b", 100)):
        assert ask(desk, f"filename {name}") == "OK"
        assert ask(desk, "start") == "OK"
        come(n)
        assert ask(desk, "stop") == "OK"
        come(500)
    assert [path.stem for path in takes.paths] == ["a", "b"]
    streams = [s for path in takes.paths for s in read_xdf(path).streams]
    assert [len(s.stamps) for s in streams if s.name == "Amp"] == [50, 100]
    assert takes.whole
    takes.wait()  # until each has been looked through, which nobody asked for
    ended = json.loads(ask(desk, "status"))["ended"]
    assert [Path(path).stem for path in ended] == ["a", "b"]
    assert all("1 fault" in said or "is whole" in said for said in ended.values())
    recorders = [listener.__self__ for listener in listeners]  # type: ignore[attr-defined]
    assert all(one._backlog.empty for one in recorders)  # of what came after the end


def test_windows_that_began_before_their_recording_are_told_from_others(
    desk: Desk, takes: Takes
) -> None:
    ask(desk, "start")
    ask(desk, "stop")
    session = read_session(takes.paths[0])
    assert joined_late(session)
    # A window of 5 s and up to 10 s before it, from the first estimate on.
    past = [SimpleNamespace(t=t) for t in (50.0, 54.9, 65.9, 66.0, 90.0)]
    late = SimpleNamespace(settings=session.settings, predictions=past)
    found = [reaches_back(late, one) for one in past]  # type: ignore[arg-type]
    assert found == [True, True, True, False, False]
    whole = SimpleNamespace(settings={}, predictions=past)
    assert not any(reaches_back(whole, one) for one in past)  # type: ignore[arg-type]


def test_a_recording_ended_from_afar_is_ended_properly(
    desk: Desk, takes: Takes
) -> None:
    ask(desk, "start")
    ask(desk, "stop")
    faults = [str(fault) for fault in verify(takes.paths[0]).faults]
    assert not [text for text in faults if "end" in text], faults


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["stop"], "nothing is being recorded; start it first"),
        (["mark x"], "so the mark is kept nowhere; start first"),
        (["start", "start"], "is running already"),
        (["start", "filename b.xdf"], "is running; stop it"),
        (["start", "mark"], "a name of 1 to 200 letters"),
        (["start", "stop", "start"], "is there already"),
        (["select none"], "say select all"),
        (["filename ../x.xdf"], "cannot name a recording"),
        (["filename {root:/} {run:1}"], "is another folder than that of --record"),
        (["filename {participant:P02}"], "P02 has not agreed to be recorded"),
        (["filename {nose:1}"], "unknown field nose"),
        (["filename a {run:1}"], "give either a name, or fields"),
        (["filename {template:a/%r} {run:1}"], "cannot name a recording"),
        (["strat"], "did you mean start?"),
        (['{"do": "mark", "text": "x", "t": 1.0}'], "over 60 s from now"),
        (['{"do": "mark", "text": "x", "t": NaN}'], "is no time in seconds"),
        (['{"do": "mark", "text": "x", "t": "soon"}'], "is no time in seconds"),
        (['{"do": 3}'], '"do" and "text" are texts'),
        (['{"do": "status", "why": 1}'], "unknown key 'why'"),
        (['{"do"'], "that line is no JSON"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said(desk: Desk, lines: list[str], said: str) -> None:
    *before, last = lines
    for line in before:
        assert ask(desk, line) == "OK"
    answer = ask(desk, last)
    if last.startswith("{"):
        found = json.loads(answer)
        assert found["ok"] is False
        answer = f"Error: {found['error']}"
    assert answer.startswith("Error: ")
    assert said in answer


def test_without_consent_nothing_is_recorded_and_all_may_be_asked(
    session: Controlled,
) -> None:
    desk = Desk(session, None)  # type: ignore[arg-type]
    for line in ("start", "mark x", "filename a", "stop"):
        assert "start eav-live with --record FILE.xdf" in ask(desk, line)
    assert json.loads(ask(desk, "last")) == {"prediction": None}
    found = json.loads(ask(desk, '{"do": "status"}'))
    assert found["ok"]
    assert found["recording"] is found["next"] is None
    assert found["streams"]["eeg"] == "live"
    assert (found["model"], found["predictions"]) == ("ours", 7)


def test_what_a_session_must_have_is_asked_for_when_a_recording_is_to_begin(
    session: Controlled, tmp_path: Path
) -> None:
    session.state = StreamState.LOST
    guard = Guard(Must(streams=("eeg",)), session, tmp_path)  # type: ignore[arg-type]
    guard.require = lambda *how: Guard.require(guard, 0.0)  # type: ignore[method-assign, assignment]
    takes = Takes(tmp_path / "a.xdf", CONSENT, session, {}, guard)  # type: ignore[arg-type]
    answer = ask(Desk(session, takes), "start")  # type: ignore[arg-type]
    assert answer.startswith("Error: nothing is recorded, since")
    assert "EEG is lost" in answer
    assert not list(tmp_path.iterdir())


def test_recordings_are_numbered_and_looked_through_though_others_end_meanwhile(
    takes: Takes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(path: Path) -> str:
        if sys.platform.startswith("linux"):  # what comes in goes first
            assert os.getpriority(os.PRIO_PROCESS, get_native_id()) >= 10
        return f"{path.name} is whole"

    monkeypatch.setattr("eav_live.recording.takes.verify_at_end", look)

    def one_more() -> None:
        takes.begin_next()
        takes.end()

    one_more()
    # While they are waited for, more are begun and ended from afar.
    more = {tmp_path / x: SimpleNamespace(join=one_more) for x in "ab"}
    takes._looking |= more  # type: ignore[arg-type]
    takes.wait()
    for path in more:
        del takes._looking[path]
    names = [path.name for path in takes.paths]
    assert names == ["P01.xdf", "P01-take2.xdf", "P01-take3.xdf"]
    takes.wait()
    assert sorted(takes.said.values()) == sorted(f"{name} is whole" for name in names)


def test_nothing_begins_once_the_session_ends(
    session: Controlled, tmp_path: Path
) -> None:
    session.state = StreamState.LOST
    guard, waits = Guard(Must(streams=("eeg",)), session, tmp_path), Event()  # type: ignore[arg-type]
    require = guard.require

    def patiently(seconds: float | None, judge: Callable[[], None]) -> None:
        waits.set()
        require(5.0, judge)

    guard.require = patiently  # type: ignore[method-assign, assignment]
    takes = Takes(tmp_path / "a.xdf", CONSENT, session, {}, guard)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as other:
        beginning = other.submit(takes.begin_next)  # R is pressed, the window closed
        assert waits.wait(10)
        takes.stop()
        with pytest.raises(InputRefused, match="the session ends"):
            beginning.result(10)
    session.state = StreamState.LIVE
    with pytest.raises(InputRefused, match="the session ends"):
        takes.begin()
    assert not list(tmp_path.iterdir())


def test_no_alarm_is_sounded_between_two_recordings(
    session: Controlled, tmp_path: Path
) -> None:
    guard = Guard(Must(streams=("eeg",)), session, tmp_path)  # type: ignore[arg-type]
    with Takes(tmp_path / "a.xdf", CONSENT, session, {}, guard) as takes:  # type: ignore[arg-type]
        for said in ("", "EEG is lost", ""):
            session.state = StreamState.LIVE
            takes.begin_next()
            if not said:
                takes.end()
            session.state = StreamState.LOST
            guard._looked_at = 0.0
            guard.look()
            assert said in guard.alarm
            assert bool(said) == bool(guard.alarm)
            guard.acknowledge()
            if said:
                takes.end()
    takes.wait()


def test_a_template_is_filled_as_labrecorder_fills_it(tmp_path: Path) -> None:
    line = "{template:%p_%b-%r.xdf} {task:nback} {run:3}"
    assert named_file(line, tmp_path, "P01") == tmp_path / "P01_nback-3.xdf"


# Who may speak


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("22345", "give ADDRESS:PORT"),
        ("127.0.0.1:", "give ADDRESS:PORT"),
        ("127.0.0.1:70000", "ports go up to 65535"),
        ("lab.example:1", "no address of this computer in digits"),
    ],
)
def test_an_address_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputRefused, match=said):
        read_address(text)


def test_other_computers_need_a_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for near in ("127.0.0.1:1", "[::1]:1", "localhost:1"):
        assert read_token(None, read_address(near)) is None
    for far in ("0.0.0.0:1", "[::]:1", "192.168.0.7:1"):
        with pytest.raises(InputRefused, match="--control-token FILE"):
            read_token(None, read_address(far))
    file = tmp_path / "token"
    with pytest.raises(InputRefused, match="there is no such file; make it: python"):
        read_token(file, read_address("0.0.0.0:1"))
    file.write_text("short\n")
    with pytest.raises(InputRefused, match="16 letters or more"):
        read_token(file, read_address("0.0.0.0:1"))
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o644)
    assert read_token(file, read_address("0.0.0.0:1")) == TOKEN
    assert f"chmod 600 {file}" in caplog.text
    caplog.clear()
    file.chmod(0o600)
    assert read_token(file, read_address("0.0.0.0:1")) == TOKEN
    assert not caplog.text


def test_the_program_refuses_an_open_port_without_a_token(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["--demo", "--headless", "--control", "0.0.0.0:0"]
    assert cli.main(words) == 2
    assert "other computers can speak there" in capsys.readouterr().err


def test_nothing_is_done_for_who_does_not_say_the_token(
    desk: Desk, takes: Takes
) -> None:
    server = ControlServer(LOOPBACK, desk, TOKEN)
    server.start()
    try:
        for line in ("start", "token wrong-wrong-wrong-", "{}", "token"):
            lines = connect(server.port)
            assert send(lines, line).startswith("Error: first say: token SECRET")
            assert lines.readline() == ""  # and it is put out
        assert takes.running is None
        lines = connect(server.port)
        assert send(lines, f"token {TOKEN}") == "OK"
        assert send(lines, "start") == "OK"
        assert takes.running is not None
        lines = connect(server.port)
        said = json.dumps({"do": "token", "text": TOKEN})
        assert json.loads(send(lines, said)) == {"ok": True}
    finally:
        server.stop()


def test_strangers_cannot_take_all_places(desk: Desk) -> None:
    server = ControlServer(LOOPBACK, desk, TOKEN)
    server.start()
    try:
        strangers = [connect(server.port) for _ in range(MOST_CLIENTS)]
        lines = connect(server.port)
        assert send(lines, f"token {TOKEN}") == "OK"
        assert strangers[0].readline() == ""
    finally:
        server.stop()


def test_a_browsers_request_does_nothing(port: int, takes: Takes) -> None:
    lines = connect(port)
    request = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nstart\n"
    assert send(lines, request) == "Error: this is no web server"
    assert send(connect(port), "update") == "OK"  # so that the rest was read
    assert takes.running is None


def test_a_line_without_end_is_cut_off_and_others_are_served(port: int) -> None:
    other, lines = connect(port), connect(port)
    answer = send(lines, "x" * (2 * MOST_LINE))
    assert answer.startswith("Error: a line has at most 4096 bytes")
    assert send(other, "update") == "OK"


def test_who_asks_and_never_reads_is_let_go(port: int) -> None:
    deaf = socket.create_connection(("127.0.0.1", port), 5)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def is_let_go() -> bool:
        try:
            deaf.sendall(b"status\n" * 5000)
        except ConnectionError:
            return True
        return False

    with deaf:
        wait_for(is_let_go)
    assert send(connect(port), "update") == "OK"


def test_a_port_that_is_taken_is_refused(port: int, desk: Desk) -> None:
    with pytest.raises(InputRefused, match="choose another port"):
        ControlServer(Address("127.0.0.1", port, True), desk)


def test_stopping_twice_and_before_it_began_does_no_harm(desk: Desk) -> None:
    for begin in (False, True):
        server = ControlServer(LOOPBACK, desk)
        if begin:
            server.start()
        server.stop()
        server.stop()
        with pytest.raises(OSError, match="refused"):
            connect(server.port)


# Whatever comes

WORDS = st.sampled_from(
    ["start", "stop", "filename", "select", "mark", "status", "last", "token", "{", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
OBJECTS = st.fixed_dictionaries({}, optional={k: JSON for k in ("do", "text", "t")})
DEEP = st.integers(1, 4000).map(lambda n: b'{"do":' + b"[" * n)
LINES = st.one_of(
    st.binary(max_size=200),
    st.tuples(WORDS, st.text(max_size=60)).map(lambda w: " ".join(w).encode()),
    OBJECTS.map(lambda o: json.dumps(o).encode()),
    DEEP,
)


@settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(LINES)
def test_any_line_is_answered_by_one_line_and_none_is_a_fault_of_ours(
    line: bytes,
) -> None:
    said: list[str] = []
    takes = SimpleNamespace(
        next=Path("P01.xdf"), person="P01", running=None, said={}, mark=lambda *_: None
    )
    takes.begin = takes.end = lambda: Path("P01.xdf")
    takes.name = lambda path: said.append(str(path))
    session = Controlled()
    answer = Desk(session, takes).answer(line, session.clock())  # type: ignore[arg-type]
    assert "\n" not in answer
    assert "the log of eav-live says why" not in answer
    assert all(Path(path).parent == Path() for path in said)  # never elsewhere


@pytest.mark.timing
def test_a_flood_of_nonsense_leaves_the_server_answering(port: int) -> None:
    for seed in (b"\x00\xff\n", b"{}\n", b"\xff" * 5000, b"\n" * 4000, b'{"t":\n'):
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            try:
                connection.sendall(seed * 20)
            except OSError:
                pass  # it was put out
    answers: list[str] = []
    wait_for(lambda: bool(answers.append(send(connect(port), "update")) or answers))
    assert answers[-1] == "OK"


def test_times_are_of_this_clock(desk: Desk, takes: Takes) -> None:
    ask(desk, "start")
    now = desk.now
    for away, well in ((-0.9, True), (0.9, True), (-1.1, False), (1.1, False)):
        line = {"do": "mark", "text": "x", "t": now + away * MOST_AWAY}
        found = json.loads(desk.answer(json.dumps(line).encode(), now))
        assert found["ok"] is well, away


def test_words_and_json_say_the_same() -> None:
    plain, told = understood(b"mark a b\r\n"), understood(b'{"do":"mark","text":"a b"}')
    assert (plain.do, plain.text, plain.t) == (told.do, told.text, told.t)


def test_the_example_needs_nothing_but_python() -> None:
    loaded = runpy.run_path(str(EXAMPLE), run_name="read")
    assert {"EavLive", "main"} <= loaded.keys()
    modules = {m for m, v in loaded.items() if isinstance(v, type(json))}
    assert modules <= {"json", "socket", "sys", "time"}
