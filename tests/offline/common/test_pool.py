import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from eav_offline.common.pool import Workers

PROGRAM = """
import os
import sys
import time
from eav_offline.common.pool import Workers

def start():
    return os.getpid()

def work(state, item):
    time.sleep(0.2)
    return item

if __name__ == "__main__":
    try:
        with Workers(2, start, work) as workers:
            for item in workers.map(range(10_000)):
                print(item, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def start() -> int:
    return os.getpid()


def work(pid: int, item: int) -> tuple[int, int]:
    if item < 0:
        os._exit(1)
    return pid, item


def test_every_item_is_worked_on_in_some_process():
    with Workers(2, start, work) as workers:
        results = list(workers.map(range(20)))
    assert sorted(item for _, item in results) == list(range(20))
    assert os.getpid() not in {pid for pid, _ in results}


def test_one_job_is_done_here_and_in_order():
    with Workers(1, start, work) as workers:
        assert list(workers.map(range(5))) == [(os.getpid(), i) for i in range(5)]


def test_items_are_drawn_no_further_ahead_than_two_a_process():
    drawn, most = [], 0
    with Workers(2, start, work) as workers:
        results = workers.map(drawn.append(i) or i for i in range(50))
        for finished, _ in enumerate(results):
            most = max(most, len(drawn) - finished)
    assert most <= 2 * 2 + 1


def test_a_process_that_dies_is_reported():
    with Workers(2, start, work) as workers:
        with pytest.raises(RuntimeError, match="--jobs 1"):
            list(workers.map([1, -1, 2]))


def refuse(pid: int, item: bytes) -> None:
    raise ValueError(f"{len(item)} bytes")


def test_an_error_is_not_waited_with_until_large_items_are_sent():
    with pytest.raises(ValueError, match="30000000 bytes"):
        with Workers(2, start, refuse) as workers:
            list(workers.map(bytes(30_000_000) for _ in range(8)))


def work_for_ever(pid: int, item: int) -> int:
    if item:
        threading.Event().wait()
    return item


def test_an_error_ends_the_items_in_hand():
    def leave() -> None:
        with Workers(2, start, work_for_ever) as workers:
            next(workers.map([0, 1, 1, 1, 1]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal on Windows")
@pytest.mark.parametrize(("how", "status"), [("SIGINT", 130), ("SIGKILL", -9)])
@pytest.mark.parametrize("when", ["starting", "working"])
def test_processes_end_with_the_program(tmp_path, how, status, when):
    (tmp_path / "program.py").write_text(PROGRAM)
    program = subprocess.Popen(
        [sys.executable, tmp_path / "program.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    if when == "working":
        assert program.stdout.readline().strip().isdigit()
    else:
        children = f"/proc/{program.pid}/task/{program.pid}/children"
        if not os.path.exists(children):
            pytest.skip("this system does not list a process's children")
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            with open(children) as file:
                if len(file.read().split()) >= 2:
                    break
    if how == "SIGINT":  # a terminal sends it to all of a program's processes
        os.killpg(program.pid, signal.SIGINT)
    else:
        program.kill()
    # The pipes close when the last process that holds them has ended.
    _, complaints = program.communicate(timeout=30)
    assert program.returncode == status
    assert how == "SIGKILL" or b"Traceback" not in complaints
