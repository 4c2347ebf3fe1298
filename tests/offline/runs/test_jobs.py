"""Jobs on many workers: the same results, whatever happens to workers."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from agreement import assert_figures_agree, assert_runs_agree
from cluster_jobs import answer, attempt_held_once, end_worker, never_end
from filelock import FileLock
from planted_cache import quick_config, write_cache

from eav_offline.cli import main
from eav_offline.common.errors import InputRefused
from eav_offline.config import load_config, to_toml
from eav_offline.runs import task as cluster_task
from eav_offline.runs import workers as cluster_workers
from eav_offline.runs.jobs import Board, Cluster, JobEvent, _Crowd, run_tasks
from eav_offline.runs.rescoring import find_runs, rescore_runs
from eav_offline.runs.study import (
    StudySettings,
    jobs,
    run_study,
    study_tasks,
    write_study,
)
from eav_offline.runs.task import JobSettings, Task, perform
from eav_offline.runs.workers import (
    PROCESS_BYTES,
    Plan,
    SlurmConfig,
    job_memory,
    make_plan,
    open_cluster,
)

WORK = jobs([1, 2], "within", seeds=[0, 1])
SHARED = JobSettings()


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cache(tmp_path_factory.mktemp("cluster") / "cache", (1, 2))


@pytest.fixture(scope="module")
def crowd() -> Iterator[Cluster]:
    """Two workers, as if each had a GPU of its own."""
    with open_cluster(Plan(None, 2, 1, gpus=(3, 5))) as cluster:
        assert cluster is not None
        yield cluster


def settings_of(cache: Path, out: Path) -> StudySettings:
    return StudySettings([cache], out, quick_config(), ("eeg",))


def until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


# Four jobs, two workers, one of them killed


@pytest.fixture(scope="module")
def serial(
    cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("serial") / "out"
    return out, run_study(WORK, settings_of(cache, out))


@pytest.fixture(scope="module")
def bereft(
    cache: Path, crowd: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], list[JobEvent]]:
    """The same study; the worker of its first job is killed in the middle of it."""
    settings = settings_of(cache, tmp_path_factory.mktemp("bereft") / "out")
    events: list[JobEvent] = []

    def watch(event: JobEvent) -> None:
        if event.kind == "epoch" and event.name == "subject01/seed0":
            if not any((s.kind, s.name) == ("epoch", event.name) for s in events):
                os.kill(event.pid, signal.SIGKILL)
        events.append(event)

    tasks = study_tasks(WORK, settings, attempt_held_once)
    outcomes = {one["name"]: one for one in run_tasks(tasks, crowd, watch)}
    study = write_study([outcomes[job.name] for job in WORK], settings)
    return settings.out, study, events


def test_all_results_are_there_though_a_worker_was_killed(
    bereft: tuple[Path, dict[str, Any], list[JobEvent]],
) -> None:
    out, study, events = bereft
    assert [job["status"] for job in study["jobs"]] == ["done"] * 4
    lost = [event for event in events if event.kind == "lost"]
    assert [event.name for event in lost] == ["subject01/seed0"]
    begun = [s for s in events if (s.kind, s.name) == ("begun", "subject01/seed0")]
    assert [s.pid == lost[0].pid for s in begun] == [True, False]
    assert all((out / job.name / "results.json").is_file() for job in WORK)


def test_the_killed_job_went_on_where_it_was(
    bereft: tuple[Path, dict[str, Any], list[JobEvent]],
) -> None:
    out, _, events = bereft
    told = [s for s in events if (s.kind, s.name) == ("epoch", "subject01/seed0")]
    assert [s.epoch for s in told] == [1]  # its only one, and not once more
    text = (out / "subject01/seed0" / cluster_task.LOG_FILE).read_text()
    assert text.count("process") == 2


def test_figures_are_those_of_a_serial_run(
    serial: tuple[Path, dict[str, Any]],
    bereft: tuple[Path, dict[str, Any], list[JobEvent]],
) -> None:
    _, alone = serial
    _, shared, _ = bereft
    figures = ("n_subjects", "modalities", "subsets", "comparisons", "options", "demo")
    assert_figures_agree(
        {k: shared[k] for k in figures}, {k: alone[k] for k in figures}
    )
    assert [j["name"] for j in alone["jobs"]] == [j["name"] for j in shared["jobs"]]


def test_predictions_are_those_of_a_serial_run(
    serial: tuple[Path, dict[str, Any]],
    bereft: tuple[Path, dict[str, Any], list[JobEvent]],
) -> None:
    for job in WORK:
        assert_runs_agree(bereft[0] / job.name, serial[0] / job.name)


def test_finished_runs_are_kept_by_the_next_command(
    cache: Path, crowd: Cluster, serial: tuple[Path, dict[str, Any]]
) -> None:
    out, before = serial
    again = run_study(WORK, settings_of(cache, out), crowd)
    assert [job["status"] for job in again["jobs"]] == ["kept"] * 4
    assert again["modalities"] == before["modalities"]  # sums of the numbers kept


def test_runs_of_a_study_are_scored_again_on_workers(
    crowd: Cluster, serial: tuple[Path, dict[str, Any]]
) -> None:
    out, study = serial
    work = find_runs(out, subjects=[2], seeds=[0, 1])
    assert [job.name for job in work] == ["subject02/seed0", "subject02/seed1"]
    scored = rescore_runs(find_runs(out), SHARED, crowd)
    assert_figures_agree(scored["modalities"], study["modalities"])


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no finished run of these"):
        find_runs(tmp_path)


# Failures


def test_one_failing_job_does_not_stop_the_rest(crowd: Cluster) -> None:
    tasks = [Task(str(i), answer, i, SHARED) for i in range(4)]
    for where in (None, crowd):
        found = {one["name"]: one for one in run_tasks(tasks, where)}
        assert [found[str(i)]["status"] for i in range(4)] == ["done", "failed"] * 2
        assert found["3"]["error"] == "ValueError: 3 is odd"
        assert found["2"]["square"] == 4


@pytest.mark.slow
def test_a_job_that_ends_every_worker_fails_and_the_others_do_not(
    crowd: Cluster,
) -> None:
    tasks = [Task("fatal", end_worker, 0, SHARED), Task("2", answer, 2, SHARED)]
    found = {one["name"]: one for one in run_tasks(tasks, crowd)}
    assert found["2"]["status"] == "done"
    assert "its worker was lost 3 times" in found["fatal"]["error"]


def test_jobs_that_are_not_wanted_any_more_end(crowd: Cluster, tmp_path: Path) -> None:
    note = tmp_path / "ended"
    tasks = [Task("2", answer, 2, SHARED), Task("long", never_end, note, SHARED)]
    ended = run_tasks(tasks, crowd)
    assert next(ended)["square"] == 4
    assert until((tmp_path / "begun").exists)
    ended.close()  # as `closing` does on Ctrl-C
    assert until(note.exists, 10)


def test_a_folder_is_written_by_one_process_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_task, "LOCK_SECONDS", 0.2)
    task = Task("a/b", answer, 2, SHARED, tmp_path)
    with FileLock(tmp_path / cluster_task.LOCKS / "a-b.lock"):
        refused = perform(task)
    assert refused["status"] == "failed"
    assert "another process has been writing" in refused["error"]
    assert perform(task)["status"] == "done"


def test_a_study_is_made_by_one_command_at_a_time(cache: Path, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".study.lock"):
        with pytest.raises(InputRefused, match="another command is at work"):
            run_study(WORK, settings_of(cache, tmp_path))


def test_workers_that_do_not_see_the_results_are_told_of(
    crowd: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain = _Crowd._send

    def blindly(self: Any, task: Task, order: int, markers: Any) -> Any:
        return plain(self, task, order, {tmp_path: tmp_path / "elsewhere"})

    monkeypatch.setattr(_Crowd, "_send", blindly)
    tasks = [Task(str(i), answer, i, SHARED, tmp_path) for i in (2, 4)]
    assert len(list(run_tasks(tasks, crowd))) == 2
    assert until(lambda: "is not visible from" in caplog.text, 5)
    assert caplog.text.count("is not visible from") == 1  # one computer


# Workers


def test_workers_of_this_computer_have_a_gpu_each_and_few_threads(
    crowd: Cluster,
) -> None:
    crowd.client.wait_for_workers(2, timeout=60)  # one may just have been ended
    found = crowd.client.run(_environment)
    assert sorted(gpu for gpu, _ in found.values()) == ["3", "5"]
    assert {threads for _, threads in found.values()} == {"1"}
    assert all("127.0.0.1" in address for address in found)


def _environment() -> tuple[str, str]:
    return os.environ["CUDA_VISIBLE_DEVICES"], os.environ["OMP_NUM_THREADS"]


def test_a_scheduler_is_used_by_its_address(crowd: Cluster) -> None:
    address = crowd.client.scheduler.address
    with open_cluster(make_plan(2, address)) as cluster:
        assert cluster is not None
        tasks = [Task(str(i), answer, i, SHARED) for i in (2, 4)]
        found = sorted(one["square"] for one in run_tasks(tasks, cluster))
    assert found == [4, 16]
    assert len(crowd.client.run(os.getpid)) == 2  # they are not ours to end


def test_a_scheduler_that_does_not_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_workers, "CONNECT_SECONDS", 0.5)
    with pytest.raises(InputRefused, match="does not answer"):
        with open_cluster(make_plan(2, "tcp://127.0.0.1:9")):
            pass


@pytest.mark.parametrize("where", ["host:8786", "slrum"])
def test_a_scheduler_without_a_scheme_is_refused(where: str) -> None:
    with pytest.raises(InputRefused, match="tcp://host:8786"):
        make_plan(2, where)


def test_one_job_or_one_worker_is_done_in_this_process() -> None:
    for plan in (make_plan(1), make_plan(9, workers=1)):
        assert plan.workers == 1
        with open_cluster(plan) as cluster:
            assert cluster is None


def computer(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: float, gpus: int = 0
) -> None:
    free = type("Memory", (), {"available": gigabytes * 1e9})()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)


def test_there_are_as_many_workers_as_memory_and_cores_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computer(monkeypatch, cores=16, gigabytes=20)
    assert make_plan(99, job_bytes=2e9) == Plan(None, 8, 2)  # 20 GB x 0.8 / 2 GB
    assert make_plan(99, job_bytes=1e9) == Plan(None, 16, 1)
    assert make_plan(99, threads=8, job_bytes=1e9) == Plan(None, 2, 8)
    assert make_plan(4, job_bytes=1e9) == Plan(None, 4, 4)
    assert make_plan(99, job_bytes=50e9).workers == 1
    assert make_plan(99, workers=3, job_bytes=50e9).workers == 3  # as asked for


def test_each_gpu_has_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    computer(monkeypatch, cores=16, gigabytes=200, gpus=4)
    assert make_plan(99) == Plan(None, 4, 4, (0, 1, 2, 3))
    assert make_plan(99, device="cpu").gpus == ()


def test_memory_of_a_paper_job_is_near_what_was_measured() -> None:
    configs = Path(__file__).resolve().parents[3] / "configs"
    paper = load_config(configs / "paper.toml")
    need = job_memory(paper, ("eeg", "audio", "video", "ambt"))
    assert 4e9 < need < 7e9  # 5 GB, see docs/benchmarks.md
    compact = load_config(configs / "compact.toml")
    assert PROCESS_BYTES < job_memory(compact, ("eeg", "audio", "video", "ambt")) < 2e9


# SLURM


def test_slurm_settings_with_an_unknown_key_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "slurm.toml"
    path.write_text('partition = "gpu"\n')
    with pytest.raises(InputRefused, match="partition"):
        make_plan(5, f"slurm:{path}")


def test_slurm_workers_are_no_more_than_jobs(tmp_path: Path) -> None:
    path = tmp_path / "slurm.toml"
    path.write_text('queue = "gpu"\nworkers = 20\ncores = 6\n')
    plan = make_plan(5, f"slurm:{path}")
    assert plan == Plan(SlurmConfig(queue="gpu", workers=20, cores=6), 5, 6)


def test_slurm_without_sbatch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask_jobqueue", reason="the extra cluster is not installed")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputRefused, match="there is no sbatch here"):
        with open_cluster(make_plan(2, "slurm")):
            pass


SBATCH = """#!/bin/sh
cp "$1" "$0.script"
sh "$0.script" >"$0.log" 2>&1 &
echo $! >>"$0.pids"
echo "Submitted batch job $!"
"""


@pytest.mark.slow
def test_a_slurm_queue_does_the_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask_jobqueue", reason="the extra cluster is not installed")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sbatch").write_text(SBATCH)
    (programs / "scancel").write_text('#!/bin/sh\nkill "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    here = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    monkeypatch.setenv("PYTHONPATH", here)
    slurm = SlurmConfig(queue="gpu", gpus=1, interface="lo", memory="1GB", cores=2)
    tasks = [Task(str(i), answer, i, SHARED) for i in (2, 4, 6)]
    with open_cluster(Plan(slurm, 1, 2)) as cluster:
        found = sorted(one["square"] for one in run_tasks(tasks, cluster))
    assert found == [4, 16, 36]
    script = (programs / "sbatch.script").read_text()
    for line in ("-p gpu", "--gres=gpu:1", "--cpus-per-task=2"):
        assert f"#SBATCH {line}\n" in script
    assert "--nthreads 1" in script
    assert "export OMP_NUM_THREADS=2" in script


# What is seen, and Ctrl-C


def test_without_a_terminal_progress_is_plain_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with Board(2) as board:
        board(JobEvent("begun", "a", "node1", 7))
        for epoch in (1, 2):
            board(JobEvent("epoch", "a", stage="eeg", epoch=epoch, epochs=2, loss=0.5))
        board(JobEvent("lost", "a", "node1", 7))
        board(JobEvent("begun", "a", "node2", 8))
        board(JobEvent("done", "a"))
        board(JobEvent("failed", "b", error="no such subject"))
    assert [record.message for record in caplog.records] == [
        "a begins on node1, process 7",
        "a eeg, loss 0.500, epoch 1 of 2",
        "a: its worker on node1 (process 7) was lost; it goes on elsewhere",
        "a begins on node2, process 8",
        "a done; of 2: 1 done, 0 at work, 0 failed",
        "b failed: no such subject",
        "b failed; of 2: 1 done, 0 at work, 1 failed",
    ]


def test_ctrl_c_ends_all_workers_and_a_second_start_goes_on(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = {"epochs": 4, "batch": 10, "learning_rate": 3e-3, "augment": False}
    config = tmp_path / "config.toml"
    config.write_text(to_toml(quick_config(eeg=long)))
    out = tmp_path / "out"
    command = ["train", "eeg", "--data", str(cache), "--config", str(config)]
    command += ["--out", str(out), "--protocol", "within", "--device", "cpu"]
    command += ["--threads", "1"]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-m", "eav_offline.cli", *command, "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    assert child.stderr is not None
    pids = []
    for line in child.stderr:
        if "begins on" in line:
            pids.append(int(line.rpartition(" ")[2]))
        if ", epoch " in line:
            break
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does, to workers as well
    began = time.monotonic()
    assert child.wait(20) == 130
    assert time.monotonic() - began < 10
    rest = child.stderr.read()
    assert "Traceback" not in rest
    assert pids
    assert until(lambda: not any(map(psutil.pid_exists, pids)), 5)
    assert main([*command, "--jobs", "1"]) == 0
    assert "2 people" in capsys.readouterr().out
    assert all((out / f"subject0{n}/seed0/results.json").is_file() for n in (1, 2))
