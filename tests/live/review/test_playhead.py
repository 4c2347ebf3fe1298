"""Where a review is, on a clock set by hand."""

import pytest

from eav_live.review.playhead import SPEEDS, Playhead


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playhead(clock: Clock) -> Playhead:
    return Playhead(50.0, 60.0, clock)


def test_it_stands_until_it_plays(playhead: Playhead, clock: Clock) -> None:
    clock.now += 3
    assert playhead.t == 50.0
    playhead.play()
    clock.now += 3
    assert playhead.t == 53.0
    playhead.pause()
    clock.now += 3
    assert playhead.t == 53.0


def test_a_change_of_speed_does_not_move_it(playhead: Playhead, clock: Clock) -> None:
    playhead.play()
    clock.now += 2
    playhead.change_speed(1)
    assert playhead.t == 52.0
    clock.now += 2
    assert playhead.t == 56.0
    for _ in range(5):
        playhead.change_speed(-1)
    assert playhead.speed == SPEEDS[0] == 0.5


def test_it_stays_at_the_end_and_begins_again_from_there(
    playhead: Playhead, clock: Clock
) -> None:
    playhead.play()
    clock.now += 30
    assert playhead.t == 60.0
    assert playhead.at_end
    playhead.play()
    assert playhead.t == 50.0


def test_it_jumps_to_what_is_next_and_to_what_was_before(playhead: Playhead) -> None:
    targets = [58.0, 52.0, 55.0]  # in no order
    reached = []
    while playhead.jump(targets, 1):
        reached.append(playhead.t)
    assert reached == [52.0, 55.0, 58.0]
    assert playhead.jump(targets, -1)
    assert playhead.t == 55.0
    playhead.seek(54.0)
    assert playhead.jump(targets, -1)
    assert playhead.t == 52.0
    assert not playhead.jump(targets, -1)


def test_nothing_is_sought_outside_the_recording(playhead: Playhead) -> None:
    playhead.seek(1e9)
    assert playhead.t == 60.0
    playhead.seek(-1.0)
    assert playhead.t == 50.0
