"""Where the measured service lives: a private folder, a socket, ports and keys of its own.

Planned once per run, before Django's settings are read; nothing is started here but a guard,
which ends everything that runs inside the folder when this process has ended, however it ended.

BENCH_FOLDER  keeps the folder there and leaves it behind; otherwise it is a temporary one
"""

import atexit
import base64
import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from config import embedded_keeper
from config.embedded_keeper import DATABASE, open_lock, take

PROJECT = Path(__file__).resolve().parent.parent
GUARD = Path(__file__).with_name("guard.py")
PREFIX = "countersign-bench-"
GUARD_SECONDS = 30.0

_kept: list[int] = []


class NoGround(RuntimeError):
    """No service may be started from this process; the text says why."""


def plan() -> None:
    """Set the environment of a private set of services, unless services were given already.

    With a DATABASE_URL from outside (the tests, a type checker, a process started by a check)
    nothing is planned: the models are then those of that database.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if os.environ.get("DATABASE_URL"):
        return
    if not Path("/proc/self/cwd").exists():
        sys.exit("bench watches the processes it starts through /proc, which only Linux has.")
    embedded_keeper.require(["postgres", "valkey"])
    folder = _folder()
    sockets = embedded_keeper.socket_directory()
    (folder / "sockets").write_text(str(sockets))
    _start_guard(folder, sockets)
    os.environ.update(_environment(folder, sockets))


def folder() -> Path:
    """The folder of this run. NoGround if none was planned here."""
    if not _kept:
        raise NoGround(
            "Services of its own are planned by the process that imports bench first and has no "
            "DATABASE_URL; this one has."
        )
    return Path(os.environ["BENCH_FOLDER"])


def sockets() -> Path:
    return Path((folder() / "sockets").read_text())


def valkey_address() -> tuple[int, str]:
    """Port and password, the same at every start, so that a killed broker can come back."""
    folder()
    return int(os.environ["BENCH_VALKEY_PORT"]), os.environ["BENCH_VALKEY_PASSWORD"]


def web_port() -> int:
    folder()
    return int(os.environ["BENCH_WEB_PORT"])


def _folder() -> Path:
    wanted = os.environ.get("BENCH_FOLDER")
    if wanted:
        path = Path(wanted).absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        _clear_dead_runs()
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = open_lock(path / "lock")
    if not take(lock, fcntl.LOCK_EX):
        sys.exit(f"{path} is used by another run of bench.")
    _kept.append(lock)
    return path


def _clear_dead_runs() -> None:
    """Remove what is left of runs that were killed together with their guard."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not (path / "lock").exists() or not os.access(path / "lock", os.W_OK):
            continue
        lock = open_lock(path / "lock")
        if take(lock, fcntl.LOCK_EX):
            left = path / "sockets"
            if left.exists():
                shutil.rmtree(left.read_text(), ignore_errors=True)
            shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _start_guard(folder: Path, sockets: Path) -> None:
    is_ours = not os.environ.get("BENCH_FOLDER")
    doomed = [str(sockets), *([str(folder)] if is_ours else [])]
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), str(folder), *doomed],
        stdin=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    atexit.register(_end, guard, os.getpid())


def _end(guard: subprocess.Popen[bytes], pid: int) -> None:
    """Let the guard end what is left and wait for it; not in processes forked from this one."""
    if os.getpid() == pid and guard.stdin is not None:
        guard.stdin.close()
        guard.wait(GUARD_SECONDS)


def _environment(folder: Path, sockets: Path) -> dict[str, str]:
    port, password = embedded_keeper.free_port(), secrets.token_hex(24)
    web = embedded_keeper.free_port()
    return {
        "BENCH_FOLDER": str(folder),
        "BENCH_VALKEY_PORT": str(port),
        "BENCH_VALKEY_PASSWORD": password,
        "BENCH_WEB_PORT": str(web),
        "DATABASE_URL": f"postgresql://{DATABASE}@{quote(str(sockets), safe='')}/{DATABASE}",
        "REDIS_URL": f"redis://:{password}@127.0.0.1:{port}/0",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "COUNTERSIGN_FIELD_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "COUNTERSIGN_MODEL_KEY": secrets.token_hex(32),
        "COUNTERSIGN_LEDGER_KEY": secrets.token_hex(32),
        "COUNTERSIGN_MODEL_DIR": str(folder / "models"),
        # The peers know words alone; with sentence vectors other work would be compared.
        "SEMANTIC_ASK": os.environ.get("SEMANTIC_ASK", "never"),
        # All data here is made up; what the demo may do may be done here.
        "COUNTERSIGN_DEMO": "1",
        "SITE_URL": f"http://127.0.0.1:{web}",
    }
