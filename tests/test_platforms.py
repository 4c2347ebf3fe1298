"""Nothing that only POSIX has is used where it was not asked whether it is there."""

import ast
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from eav_live import cli

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("eav_live", "eav_offline", "benchmarks")

# Of modules that Windows has too, what it lacks there.
POSIX_ONLY = {
    "os": "fork forkpty killpg getpgid setpgid getpgrp setpgrp setsid getsid getuid "
    "geteuid getgid getegid getgroups setuid setgid initgroups sched_getaffinity "
    "sched_setaffinity sched_yield nice getpriority setpriority PRIO_PROCESS "
    "getloadavg statvfs fstatvfs uname mkfifo mknod chown lchown fchown fchmod chroot "
    "wait wait3 wait4 waitid WNOHANG sysconf confstr pathconf fpathconf posix_spawn "
    "posix_fadvise posix_fallocate sendfile pipe2 openpty ttyname ctermid sync "
    "fdatasync pread pwrite readv writev memfd_create O_NOFOLLOW O_DIRECTORY",
    "signal": "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGPIPE SIGQUIT SIGSTOP "
    "SIGCONT SIGTSTP alarm setitimer getitimer pause pthread_sigmask pthread_kill "
    "sigwait sigpending siginterrupt SIG_BLOCK SIG_UNBLOCK SIG_SETMASK",
    "socket": "AF_UNIX SO_REUSEPORT sethostname",
    "time": "tzset clock_gettime clock_settime CLOCK_MONOTONIC CLOCK_REALTIME",
}
NAMES = {module: frozenset(names.split()) for module, names in POSIX_ONLY.items()}
MODULES = {"curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource"}
MODULES |= {"syslog", "termios", "tty"}
KEYWORDS = {"preexec_fn", "start_new_session", "pass_fds", "process_group"}
PATHS = ("/dev/", "/proc/", "/sys/", "/tmp/")
# What a condition speaks of that asks which system this is.
QUESTIONS = ("hasattr(", "sys.platform", "os.name", "platform.system")
# What a file has in it that may use any of this: few do.
_LACKED = "|".join(sorted(set().union(*NAMES.values())))
_HINT = re.compile(
    rf"\b(?:{'|'.join(NAMES)})(?:\.(?:{_LACKED})\b| import)"
    rf"|\b(?:import|from) (?:{'|'.join(MODULES)})\b|{'|'.join((*KEYWORDS, *PATHS))}"
)
# What trying it raises where it is missing.
ANSWERS = {"ImportError", "ModuleNotFoundError", "AttributeError", "OSError"}


def unguarded(source: str) -> list[str]:
    """`line: what` of all that only POSIX has and that nothing around it asks for."""
    if not _HINT.search(source):
        return []
    tree = ast.parse(source)
    return [f"{node.lineno}: {what}" for node, what in _found(tree, False)]


def _found(node: ast.AST, guarded: bool) -> Iterator[tuple[ast.AST, str]]:
    what = _posix(node)
    if what and not guarded:
        yield node, what
    for field, value in ast.iter_fields(node):
        inside = guarded or _asks(node, field)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield from _found(child, inside)
                # `if sys.platform == "win32": return` guards what comes after it.
                inside = inside or _turns_back(child)


def _posix(node: ast.AST) -> str:
    """What only POSIX has, if this very node is such a thing."""
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}" if name in NAMES.get(module, ()) else ""
        case ast.ImportFrom(module=module, names=names) if module in NAMES:
            return ", ".join(n.name for n in names if n.name in NAMES[module])
        case ast.Import(names=names):
            return ", ".join(n.name for n in names if n.name in MODULES)
        case ast.ImportFrom(module=module) if module in MODULES:
            return str(module)
        case ast.keyword(arg=name) if name in KEYWORDS:
            return str(name)
        case ast.Constant(value=str(text)) if text.startswith(PATHS):
            return repr(text)
    return ""


def _asks(node: ast.AST, field: str) -> bool:
    """Whether what is in this field of a node runs only where it was asked for."""
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) if field != "test":
            return any(question in ast.unparse(test) for question in QUESTIONS)
        case ast.Try(handlers=handlers) if field == "body":
            caught = " ".join(ast.unparse(h.type) for h in handlers if h.type)
            return any(answer in caught for answer in ANSWERS)
    return False


def _turns_back(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    leaves = isinstance(node.body[-1], ast.Return | ast.Raise)
    return leaves and _asks(node, "body")


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_only_posix_has_is_taken_for_granted(place: str) -> None:
    found = {
        str(path.relative_to(ROOT)): faults
        for path in sorted((ROOT / place).rglob("*.py"))
        if (faults := unguarded(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "n"),
    [
        ("os.kill(pid, signal.SIGKILL)", 1),
        ("from os import fork, getpid", 1),
        ("import fcntl", 1),
        ("Popen(a, start_new_session=True)", 1),
        ("open('/dev/null')", 1),
        ("if hasattr(os, 'fork'):\n    os.fork()\nelse:\n    pass", 0),
        ("n = os.getuid() if hasattr(os, 'getuid') else 0", 0),
        ("if x:\n    os.getuid()", 1),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", 0),
        ("try:\n    import fcntl\nexcept ValueError:\n    fcntl = None", 1),
        ("def f():\n    if os.name == 'nt':\n        return\n    os.nice(1)", 0),
        ("def f():\n    os.nice(1)\n    if os.name == 'nt':\n        return", 1),
        ("'''/dev/video0 is a path'''", 0),
        ("os.getpid(); signal.SIGINT; time.monotonic()", 0),
    ],
)
def test_a_guard_is_told_from_none(source: str, n: int) -> None:
    assert len(unguarded(source)) == n


# What is written for systems that are not at hand


def _commands(script: str, case: str) -> dict[str, list[str]]:
    """What uv is given by each command of a script, `lint` aside.

    case: a pattern of how a command begins, with its name.
    """
    parts = re.split(case, script, flags=re.MULTILINE)
    given = r'\$U[Vv]"? ((?:run|sync) .*?)(?: "\$@"| @Rest)?(?: ;;| \}|$)'
    return {
        name: re.findall(given, does.replace('"$UV"', "$Uv"), re.MULTILINE)
        for name, does in zip(parts[1::2], parts[2::2], strict=True)
        if name != "lint"
    }


def test_both_scripts_have_the_same_commands_that_do_the_same() -> None:
    script, dev = ((ROOT / name).read_text() for name in ("dev.ps1", "dev"))
    ours = _commands(dev, r"^([a-z-]+)\) ")
    theirs = _commands(script, r"^    '([a-z-]+)' \{")
    assert theirs == ours
    assert ours["test"] == ["run --no-sync pytest -n 3"]
    listed = re.search(r"\$Commands = @\((.*?)\)", script, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"[a-z-]+", listed[1])) == {*theirs, "lint"}
    (usage,) = re.findall(r'"usage: \./dev (.*)"', dev)
    assert set(re.findall(r"(?<!\w)[a-z-]+", usage)) == {*ours, "lint"}


def test_both_scripts_lint_alike() -> None:
    script, dev = ((ROOT / name).read_text() for name in ("dev.ps1", "dev"))
    theirs = re.findall(r"Invoke-Checked \$Uv run --no-sync (\w.*)$", script, re.M)
    ours = re.findall(r'^    "\$UV" run --no-sync (\w.*)$', dev, re.M)
    assert len(ours) == 4
    assert [line for line in theirs if line in ours] == ours


def test_ci_runs_on_every_system_and_every_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least, below = re.fullmatch(
        r">=3\.(\d+),<3\.(\d+)", project["requires-python"]
    ).groups()  # type: ignore[union-attr]
    pythons = [f"3.{minor}" for minor in range(int(least), int(below))]
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["python"] == pythons
    systems = {name.partition("-")[0] for name in matrix["os"]}
    assert systems == {"ubuntu", "windows", "macos"}
    wheels = (ROOT / ".ci/wheels.py").read_text()
    assert f"PYTHONS = {tuple(pythons)}".replace("'", '"') in wheels
    runs = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert any(".ci/wheels.py" in run for run in runs)


@pytest.mark.parametrize("target", ["win-64", "osx-arm64", "linux-64"])
def test_the_recipe_of_the_installer_names_only_what_is_there(
    target: str, tmp_path: Path
) -> None:
    folder = ROOT / ".ci/installer"
    spec = importlib.util.spec_from_file_location("build", folder / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    sys.modules["build"] = build  # dataclasses look there
    try:
        spec.loader.exec_module(build)
    finally:
        del sys.modules["build"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wheel = tmp_path / "numpy-2-py3-none-any.whl"

    said = build.definition(target, project["version"], ROOT / "LICENSE", [wheel])

    assert yaml.safe_load(json.dumps(said)) == said  # which constructor reads
    paths = [said["license_file"], said["post_install"], said.get("pre_uninstall")]
    assert all(Path(path).is_file() for path in paths if path is not None)
    files = {k: v for pair in said["extra_files"] for k, v in pair.items()}
    assert files.pop(str(wheel)) == f"wheels/{wheel.name}"
    ((menu, there),) = files.items()
    script = Path(said["post_install"]).read_text().replace("\\", "/")
    assert there in script
    assert "/wheels" in script
    assert "EAV_LIVE" in said["script_env_variables"]
    assert set(build.EXTRAS.split(",")) <= set(project["optional-dependencies"])
    (python,) = re.findall(r"python (3\.\d+)\.\*", said["specs"][0])
    ours = project["requires-python"]  # ">=3.11,<3.14"
    least, below = (tuple(map(int, v.split("."))) for v in re.findall(r"3\.\d+", ours))
    assert least <= tuple(map(int, python.split("."))) < below
    for item in json.loads(Path(menu).read_text())["menu_items"]:
        interpreter, *module, options = item["command"][:3] + [item["command"][3:]]
        assert (interpreter, module) == ("{{ PYTHON }}", ["-m", "eav_live"])
        cli.parsers()["eav-live"].parse_args(options)
