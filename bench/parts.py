"""One process of the service with all that it started: started, watched, stopped, killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 40.0
POLL_SECONDS = 0.02
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
LAST_LINES = 15
# Helpers of Python's own, not workers of a server.
TRACKERS = ("resource_tracker", "semaphore_tracker")
_libc = ctypes.CDLL(None)


class PartFailed(Exception):
    """A part ended by itself or never answered; the message ends with its last words."""


class Part:
    """A process tree of the service. `launch` starts it, `ready` says whether it answers.

    What it writes goes to `log`, which goes on from one start to the next.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        launch: Callable[["Part"], subprocess.Popen[bytes]],
        ready: Callable[["Part"], bool],
        *,
        polite: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._launch = launch
        self._ready = ready
        self._polite = polite
        self._process: subprocess.Popen[bytes] | None = None
        self._log_began = 0

    @property
    def pid(self) -> int:
        """Of the main process. PartFailed if it was never started."""
        if self._process is None:
            raise PartFailed(f"{self.name} was not started.")
        return self._process.pid

    def start(self) -> None:
        """Returns at once where the part can be waited for by `wait_ready`.

        From the main thread only: the kernel ends a child with the thread that started it.
        """
        if threading.current_thread() is not threading.main_thread():
            raise PartFailed(f"{self.name} may be started from the main thread only.")
        if self.is_alive():
            raise PartFailed(f"{self.name} runs already, as {self.pid}.")
        self._log_began = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._launch(self)

    def wait_ready(self, timeout: float = 60.0) -> None:
        deadline = time.monotonic() + timeout
        while not self._ready(self):
            if not self.is_alive():
                raise PartFailed(f"{self.name} ended by itself. {self.last_words()}")
            if time.monotonic() > deadline:
                raise PartFailed(
                    f"{self.name} did not answer in {timeout:.0f} s. {self.last_words()}"
                )
            time.sleep(POLL_SECONDS)

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, wait, and end what is left of it; nothing to do if it is not running."""
        if self._process is None:
            return
        tree = self.tree()
        if self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self._process.send_signal(self._polite)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        _send(signal.SIGKILL, tree)
        self._process.wait()
        _gone(tree)

    def kill(self, sig: int = signal.SIGKILL) -> None:
        """The main process only, waiting for its end; what it started is left to itself."""
        assert self._process is not None
        self._process.send_signal(sig)
        self._process.wait(STOP_SECONDS)

    def kill_group(self, sig: int = signal.SIGKILL) -> None:
        """Every process of the tree, waiting for the end of all of them."""
        assert self._process is not None
        tree = self.tree()
        _send(sig, tree)
        self._process.wait(STOP_SECONDS)
        _gone(tree)

    def signal(self, sig: int) -> None:
        """To every process of the tree, without waiting: SIGSTOP and SIGCONT."""
        _send(sig, self.tree())

    def children(self) -> list[int]:
        """What the main process started and is alive: the workers of a server."""
        if not self.is_alive():
            return []
        return [pid for pid in _children_of(self.pid) if not _is_tracker(pid)]

    def tree(self) -> list[int]:
        """The main process first, then all below it."""
        if not self.is_alive():
            return []
        found = [self.pid]
        for pid in found:
            found += _children_of(pid)
        return found

    def rss_bytes(self) -> int:
        """Resident memory of the whole tree; what its processes share counts for each."""
        total = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        return total

    def says(self, words: str) -> bool:
        """Whether it has written these words since its last start."""
        if not self.log.exists():
            return False
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            return words.encode() in log.read()

    def last_words(self) -> str:
        if not self.log.exists():
            return "It has written nothing."
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join([f"The last lines of {self.log}:", *(f"  {line}" for line in lines)])


def program(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> Callable[[Part], subprocess.Popen[bytes]]:
    """How a program becomes a part: in a session of its own, inside the folder.

    The working directory marks it as the folder's, for the guard (see guard.py).
    """

    def launch(part: Part) -> subprocess.Popen[bytes]:
        with part.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )

    return launch


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(word) for word in (task / "children").read_text().split()]
    return sorted(found)


def _is_tracker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        said = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        return any(name in said for name in TRACKERS)
    return True


def _send(sig: int, pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)


def _gone(pids: Sequence[int]) -> None:
    """Wait until none of them runs; a zombie that nobody has asked after has ended too."""
    deadline = time.monotonic() + STOP_SECONDS
    while any(is_running(pid) for pid in pids):
        if time.monotonic() > deadline:
            left = [pid for pid in pids if is_running(pid)]
            raise PartFailed(f"Processes {left} did not end in {STOP_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def cpu_ticks(pid: int) -> int:
    """Processor time that a process has used, in clock ticks; 0 for one that is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(words[11]) + int(words[12])
