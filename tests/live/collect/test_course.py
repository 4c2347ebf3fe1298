"""Collecting: scripts, the course of a session, and what it marks, on a fake clock."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from collect_helpers import PAIR, SCRIPT, Bench, loaded, write_script

from eav_live.collect.course import Phase
from eav_live.collect.script import ScriptError, load_script
from eav_live.commands import collect
from eav_live.commands.options import session_options
from eav_live.recognition.assets import asset
from eav_live.recognition.predictions import StreamState
from eav_offline.common.errors import SourceRefused
from eav_offline.core.labels import EMOTIONS, TASKS

# Scripts


def test_a_script_is_read_in_order(tmp_path: Path) -> None:
    plan = loaded(tmp_path).plan
    assert [(t.number, t.task, t.emotion, t.seconds) for t in plan] == [
        (1, "listening", "anger", 20.0),
        (2, "speaking", "anger", 20.0),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rest_s", "rests", "unknown key rests"),
        ('emotion = "Anger"', 'emotion = "envy"', "blocks.1.trials.1.emotion"),
        ('text = "I am not!"', 'txt = "no"', "blocks.1.trials.2.txt"),
        ('text = "I am not!"', 'media = "a.wav"', "media are for listening"),
        ('text = "You are late."', "", "give the trial a text"),
        ('text = "You are late."', 'media = "a.wav"', "which is not there"),
        ("trial_s = 20", "trial_s = 1", "trial_s"),
        ("countdown_s = 3", "countdown_s = = 3", "not valid TOML"),
        ('title = "Test"', "", "key title is missing"),
    ],
)
def test_what_a_script_must_not_say_is_named_with_its_file(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = write_script(tmp_path, SCRIPT.replace(old, new, 1))
    with pytest.raises(ScriptError) as refusal:
        load_script(path)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_shuffling_is_the_same_for_a_seed_and_keeps_answers_behind_questions(
    tmp_path: Path,
) -> None:
    pairs = "".join(
        PAIR.replace("Anger", e).replace('"anger"', f'"{e}"') for e in EMOTIONS
    )
    text = SCRIPT.replace("[[blocks]]", 'order = "shuffled"\n[[blocks]]\nrepeat = 6')
    path = write_script(tmp_path, text.replace(PAIR, pairs))
    orders = [[t.emotion for t in load_script(path, seed).plan] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    plan = load_script(path, 1).plan
    for heard, said in zip(plan[::2], plan[1::2], strict=True):
        assert (heard.task, said.task) == ("listening", "speaking")
        assert heard.emotion == said.emotion
    rounds = [orders[0][i : i + 10 : 2] for i in range(0, 60, 10)]
    assert all(sorted(r) == sorted(EMOTIONS) for r in rounds)
    assert len({tuple(r) for r in rounds}) > 1


@pytest.mark.parametrize(("name", "each"), [("pilot", 1), ("full", 20)])
def test_the_scripts_that_come_along_balance_emotions_and_tasks(
    name: str, each: int
) -> None:
    plan = load_script(asset(f"collect/{name}.toml")).plan
    counts = {(e, k): 0 for e in EMOTIONS for k in TASKS}
    for trial in plan:
        counts[trial.emotion, trial.task] += 1
        assert trial.seconds == 20.0
    assert set(counts.values()) == {each}


@pytest.mark.parametrize("name", ["pilot", "full"])
def test_how_long_a_script_takes_is_said_as_it_is(name: str) -> None:
    path = asset(f"collect/{name}.toml")
    said = f"about {load_script(path).seconds / 60:.0f} minutes"
    page = Path(__file__).parents[3] / "docs" / "collecting.md"
    for text in (path, page):
        assert said in " ".join(text.read_text().replace("#", "").split())


@pytest.mark.parametrize("n", [1, 2])
def test_a_training_that_cannot_work_is_not_recommended(tmp_path: Path, n: int) -> None:
    words = ["a.toml", "--eeg-stream", "X", "--person", "P01", "--out", str(tmp_path)]
    streams = session_options(collect.parser().parse_args(words))
    spoken = {**dict.fromkeys(EMOTIONS, 2), "anger": n}
    said = collect._next_commands(streams, tmp_path / "a.xdf", "P01", spoken)
    assert ("From here to a model" in said) == (n == 2)
    assert ("here there are 1 of anger" in said) == (n == 1)
    assert ("a.xdf ANOTHER.xdf" in said) == (n == 1)


# The course


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(loaded(tmp_path))


def test_an_undisturbed_session_marks_every_trial_once(bench: Bench) -> None:
    bench.run(60)
    assert bench.course.finished
    assert bench.recorder.events == [
        *("session_start", "block", "trial_start", "trial_end"),
        *("trial_start", "trial_end", "session_end"),
    ]
    assert bench.recorder.of("trial_start")[1] == {
        **{"event": "trial_start", "trial": 2, "task": "speaking"},
        **{"emotion": "anger", "attempt": 1, "seconds": 20.0},
    }
    end = bench.recorder.of("session_end")[0]
    assert (end["complete"], end["trials"], end["void"]) == (True, 2, 0)


@pytest.mark.parametrize("step", [0.01, 0.05, 0.7])
def test_a_trial_is_at_least_as_long_as_it_should_be(bench: Bench, step: float) -> None:
    bench.run(60, step)
    times = {
        (marker["event"], marker.get("trial")): stamp
        for stamp, marker in bench.recorder.marked
    }
    for trial in (1, 2):
        lasted = times["trial_end", trial] - times["trial_start", trial]
        assert 20.0 <= lasted + 1e-9 <= 20.0 + step + 1e-6
    stamps = [stamp for stamp, _ in bench.recorder.marked]
    assert all(a <= b for a, b in pairwise(stamps))


def test_a_pause_in_a_trial_voids_it_and_it_begins_again(bench: Bench) -> None:
    bench.run_until(Phase.TRIAL)
    bench.run(8)
    bench.session.space()
    bench.run(300)
    assert (bench.course.phase, bench.course.paused) == (Phase.COUNTDOWN, True)
    bench.session.space()
    assert bench.course.left(bench.clock.now) == 3.0
    bench.run(60)
    assert bench.recorder.events[2:9] == [
        *("trial_start", "trial_repeat", "pause", "resume"),
        *("trial_start", "trial_end", "trial_start"),
    ]
    assert [m["attempt"] for m in bench.recorder.of("trial_start")] == [1, 2, 1]
    assert bench.recorder.of("trial_repeat")[0]["attempt"] == 1


def test_a_pause_in_the_rest_voids_nothing(bench: Bench) -> None:
    bench.run_until(Phase.REST)
    bench.session.space()
    bench.run(10)
    bench.session.space()
    bench.run(60)
    assert bench.course.n_void == 0
    assert len(bench.course.done) == 2


@pytest.mark.parametrize("when", [Phase.TRIAL, Phase.REST])
def test_a_trial_is_repeated_while_it_runs_and_after_it(
    bench: Bench, when: Phase
) -> None:
    bench.run_until(when)
    bench.session.repeat()
    assert (bench.course.phase, bench.course.index) == (Phase.COUNTDOWN, 0)
    bench.run(90)
    assert [m["trial"] for m in bench.recorder.of("trial_start")] == [1, 1, 2]
    assert bench.recorder.of("trial_repeat")[0]["trial"] == 1
    assert bench.course.finished


def test_in_the_next_countdown_the_trial_before_it_is_repeated(bench: Bench) -> None:
    bench.run_until(Phase.REST)
    bench.run_until(Phase.COUNTDOWN)
    assert bench.course.index == 1
    bench.session.repeat()
    bench.session.repeat()  # a second press asks for nothing more
    assert bench.course.index == 0
    bench.run(90)
    assert [m["trial"] for m in bench.recorder.of("trial_start")] == [1, 1, 2]
    assert bench.course.n_void == 1


def test_a_skipped_trial_is_left_out_and_said(bench: Bench) -> None:
    bench.run_until(Phase.COUNTDOWN)
    bench.session.skip()
    bench.run(60)
    assert bench.recorder.of("trial_skip")[0]["trial"] == 1
    assert [m["trial"] for m in bench.recorder.of("trial_start")] == [2]
    assert bench.recorder.of("session_end")[0]["trials"] == 1


def test_ending_is_asked_for_and_may_be_taken_back(bench: Bench) -> None:
    bench.run_until(Phase.REST)
    bench.session.ask_end()
    bench.session.space()  # no key but the answer does anything
    assert bench.course.paused
    bench.session.answer(False)
    assert not bench.course.finished
    bench.session.space()
    bench.run(60)
    assert bench.recorder.of("session_end")[0]["complete"]


def test_an_aborted_trial_has_no_end(bench: Bench) -> None:
    bench.run_until(Phase.TRIAL)
    bench.session.end()
    bench.session.end()
    bench.run(60)
    assert bench.recorder.events[-2:] == ["trial_start", "session_end"]
    assert bench.recorder.of("session_end")[0]["complete"] is False


def test_instructions_wait_for_the_operator(tmp_path: Path) -> None:
    text = SCRIPT.replace('name = "First"', 'name = "First"\ninstructions = "Read."')
    bench = Bench(loaded(tmp_path, text))
    bench.run(500)
    assert bench.course.phase is Phase.INSTRUCTIONS
    assert bench.course.page() == "Read."
    bench.session.space()
    assert bench.course.phase is Phase.COUNTDOWN


# Streams


def test_nothing_begins_before_all_streams_are_there(bench: Bench) -> None:
    bench.sources["audio"].state = StreamState.CONNECTING
    bench.run(10)
    assert bench.recorder.events == []
    assert "Voice" in bench.session.notice
    bench.sources["audio"].state = StreamState.LIVE
    bench.run(10)
    assert bench.course.phase is Phase.TRIAL
    assert bench.session.notice == ""


def test_a_lost_stream_voids_the_trial_and_holds_the_session(bench: Bench) -> None:
    bench.run_until(Phase.TRIAL)
    bench.sources["eeg"].state = StreamState.LOST
    bench.run(1)
    assert bench.course.paused
    assert bench.recorder.of("trial_repeat")[0]["reason"] == "stream"
    bench.session.space()
    assert bench.course.paused
    assert "EEG is lost" in bench.session.notice
    bench.sources["eeg"].state = StreamState.RETURNED
    bench.session.space()
    bench.run(60)
    assert bench.course.done == {1, 2}


def test_a_gap_in_a_trial_is_said_and_may_be_repeated(bench: Bench) -> None:
    bench.run_until(Phase.TRIAL)
    bench.run(5)
    bench.sources["eeg"].gaps += 1
    bench.run(20)
    assert (bench.course.phase, bench.course.paused) == (Phase.REST, True)
    assert "eeg had a gap in trial 1" in bench.session.notice
    bench.session.repeat()
    bench.session.space()
    bench.run(90)
    assert [m["trial"] for m in bench.recorder.of("trial_start")] == [1, 1, 2]


def test_a_disk_that_takes_nothing_holds_the_session(bench: Bench) -> None:
    bench.run_until(Phase.TRIAL)
    bench.recorder.status.error = "No space left on device"
    bench.run(1)
    assert bench.course.paused
    assert "No space left" in bench.session.notice


class FakePlayer:
    def __init__(self, fails: bool = False) -> None:
        self.said: list[str] = []
        self.fails = fails

    def play(self, path: Path) -> None:
        if self.fails:
            raise SourceRefused("no loudspeaker")
        self.said.append(path.name)

    def stop(self) -> None:
        self.said.append("stop")


@pytest.fixture
def listening(tmp_path: Path) -> Callable[[FakePlayer], Bench]:
    (tmp_path / "a.wav").write_bytes(b"sound")
    text = SCRIPT.replace('text = "You are late."', 'media = "a.wav"')
    return lambda player: Bench(loaded(tmp_path, text), player)


def test_media_play_in_their_trial_only(
    listening: Callable[[FakePlayer], Bench],
) -> None:
    player = FakePlayer()
    bench = listening(player)
    bench.run_until(Phase.TRIAL)
    assert player.said == ["a.wav"]
    bench.run(60)
    assert player.said == ["a.wav", "stop", "stop"]


def test_a_loudspeaker_that_fails_pauses_the_session(
    listening: Callable[[FakePlayer], Bench],
) -> None:
    bench = listening(FakePlayer(fails=True))
    bench.run(10)
    assert bench.course.paused
    assert bench.session.notice == "no loudspeaker"
