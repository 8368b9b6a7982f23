"""A real PostgreSQL and a real Valkey from installed wheels, where no URL of a server is given.

    python -m config.embedded [--data DIR] -- COMMAND [ARGUMENT...]

Each data directory has its own pair, on a private socket and a free loopback port. The first
process that asks starts them, later ones attach, and they stop when the last one has ended,
however it ended.
"""

import argparse
import atexit
import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from config import embedded_keeper
from config.embedded_keeper import EmbeddedError, open_lock, take

__all__ = ["EmbeddedError", "activate", "data_directory", "do_without"]

PROJECT = Path(__file__).resolve().parent.parent
SERVICE_OF = {"DATABASE_URL": "postgres", "REDIS_URL": "valkey"}
# Longer than a first start takes on a slow disk, and than every way of stopping together.
PATIENCE_SECONDS = 90.0
NOWHERE = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}

_attached: dict[Path, int] = {}


def data_directory(name: str) -> Path:
    """COUNTERSIGN_DATA where it is set, else `.data/NAME` in the project."""
    return Path(os.environ.get("COUNTERSIGN_DATA") or PROJECT / ".data" / name).absolute()


def activate(data: Path, *, durable: bool = True) -> None:
    """Set DATABASE_URL and REDIS_URL to embedded services in `data`, where they are not set.

    With DATABASE_URL the secrets that are not set come too, made at random at the first use and
    kept in `data/env.json`. A DATABASE_URL from outside is production: its missing secrets are
    not made up, so that the settings refuse to start.

    The services live as long as this process, or one forked from it; not past an `exec`.
    May be called again. `durable=False` gives up the safety of the data against a crash of
    the machine. Raises EmbeddedError when a service cannot be had.
    """
    missing = [name for name in SERVICE_OF if not os.environ.get(name)]
    if not missing:
        return
    embedded_keeper.require([SERVICE_OF[name] for name in missing])
    data = data.absolute()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if data not in _attached:
        # Waits here while a keeper that nobody used any more is stopping.
        _attached[data] = users = open_lock(data / "users.lock")
        fcntl.flock(users, fcntl.LOCK_SH)
        atexit.register(_detach, data, os.getpid())
    with _one_at_a_time(data):
        state = _running(data, [SERVICE_OF[name] for name in missing], durable=durable)
        local = {name: state["urls"][SERVICE_OF[name]] for name in missing}
        if "DATABASE_URL" in missing:
            local |= _secrets(data) | {"COUNTERSIGN_MODEL_DIR": str(data / "models")}
    for name, value in local.items():
        if not os.environ.get(name):
            os.environ[name] = value


def do_without() -> None:
    """Set what the settings ask for and a command that needs no service will not use.

    Addresses where nobody listens, keys made for this process alone; what is set stays.
    """
    for name, value in (NOWHERE | _new_secrets()).items():
        if not os.environ.get(name):
            os.environ[name] = value


@contextlib.contextmanager
def _one_at_a_time(data: Path) -> Iterator[None]:
    lock = open_lock(data / "start.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _running(data: Path, wanted: list[str], *, durable: bool) -> dict[str, Any]:
    """What services.json says of the running services, after starting them if there are none."""
    state_file = data / "services.json"
    keeper: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if keeper and keeper.poll() is not None:
            raise EmbeddedError((data / "keeper.log").read_text().strip())
        if not keeper and _is_free(data / "keeper.lock"):
            if state_file.exists():
                state_file.replace(data / "leftovers.json")
            keeper = _start_keeper(data, wanted, durable=durable)
        elif state_file.exists():
            state: dict[str, Any] = json.loads(state_file.read_text())
            return _fitting(data, state, wanted, durable=durable)
        time.sleep(0.02)
    raise EmbeddedError(f"The services in {data} were not ready in {PATIENCE_SECONDS:.0f} seconds.")


def _fitting(
    data: Path, state: dict[str, Any], wanted: list[str], *, durable: bool
) -> dict[str, Any]:
    lacking = [name for name in wanted if name not in state["urls"]]
    if durable and not state["durable"]:
        lacking.append("durability")
    if lacking:
        raise EmbeddedError(
            f"The services in {data} were started without {', '.join(lacking)}: end the program "
            "that uses them, or set COUNTERSIGN_DATA to another directory."
        )
    return state


def _is_free(path: Path) -> bool:
    lock = open_lock(path)
    try:
        return take(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _start_keeper(data: Path, wanted: list[str], *, durable: bool) -> subprocess.Popen[bytes]:
    # By path and with -P: importing the package `config` would load Celery into the keeper.
    command = [sys.executable, "-P", embedded_keeper.__file__, str(data)]
    with (data / "keeper.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "durable" if durable else "fast", ",".join(wanted)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )


def _detach(data: Path, pid: int) -> None:
    """Let go, and wait for the services to have stopped if nobody else uses them."""
    if os.getpid() != pid:
        return
    os.close(_attached.pop(data))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_free(data / "keeper.lock") and time.monotonic() < deadline:
        users = open_lock(data / "users.lock")
        # Shared but not exclusive: others use them. Neither: the keeper is stopping.
        alone, shared = take(users, fcntl.LOCK_EX), take(users, fcntl.LOCK_SH)
        os.close(users)
        if shared and not alone:
            return
        time.sleep(0.03)


def _secrets(data: Path) -> dict[str, str]:
    """The keys of this data directory. Those that are missing are made, the others never change."""
    path = data / "env.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    keys = _new_secrets() | kept
    if keys != kept:
        new = path.with_name("env.json.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(keys, out, indent=2)
        new.replace(path)
    return keys


def _new_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "COUNTERSIGN_FIELD_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "COUNTERSIGN_MODEL_KEY": secrets.token_hex(32),
        "COUNTERSIGN_LEDGER_KEY": secrets.token_hex(32),
        "COUNTERSIGN_SCRAPE_TOKEN": secrets.token_hex(32),
    }


def run(command: list[str]) -> int:
    """Run a command to its end, passing signals on; returns its exit code, 128 + n for signal n."""
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        # A terminal has sent Ctrl-C to the command too, since both are in its foreground.
        if number == signal.SIGINT and sys.stdin.isatty():
            return
        for process in started:
            process.send_signal(number)
        if not started:
            early.append(number)

    # Before the command starts: it may be signalled as soon as it has said its first word.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    process = subprocess.Popen(command)
    started.append(process)
    for missed in early:
        process.send_signal(missed)
    code = process.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m config.embedded",
        description="Run a command with DATABASE_URL and REDIS_URL set to a PostgreSQL and a "
        "Valkey that are started for it, and with the project's keys set to local ones.",
        epilog="Variables that are set already are left alone.",
    )
    parser.add_argument("--data", type=Path, help="where they keep their data (.data/demo)")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND", help="what to run")
    chosen = parser.parse_args()
    try:
        activate(chosen.data or data_directory("demo"))
        return run(chosen.command)
    except (EmbeddedError, FileNotFoundError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
