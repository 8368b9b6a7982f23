"""Child processes of the demo: started together, watched, ended in order, none left behind."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
PATIENCE_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.1
LAST_LINES = 15
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ChildFailed(Exception):
    """A child ended by itself or never answered; the message ends with its last words."""


@dataclass
class Child:
    """One process: what it is called, how it is started, how it is seen to be ready.

    `told` is written to its standard input: secrets, which a command line would show to all.
    """

    name: str
    command: Sequence[str]
    log: Path
    is_ready: Callable[["Child"], bool]
    told: str = field(default="", repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal goes to a whole session; ours decides who stops when.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )

        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
                stdin.write(self.told.encode())

    def check(self) -> None:
        """ChildFailed if it has ended."""
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            raise ChildFailed(f"{self.name} ended with {code}. {self.last_words()}")

    def says(self, words: str) -> bool:
        return words in self.log.read_text(errors="replace")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join([f"The last lines of {self.log}:", *(f"  {line}" for line in lines)])


def wait_for(children: Sequence[Child], *, told: Callable[[Child, float], None]) -> None:
    """Until each is ready; `told` gets a child and its seconds. Raises ChildFailed."""
    began = time.monotonic()
    missing = list(children)
    while missing:
        for child in list(missing):
            child.check()
            if child.is_ready(child):
                missing.remove(child)
                told(child, time.monotonic() - began)
        if time.monotonic() - began > PATIENCE_SECONDS:
            child = missing[0]
            raise ChildFailed(
                f"{child.name} did not answer in {PATIENCE_SECONDS:.0f} seconds. "
                f"{child.last_words()}"
            )
        time.sleep(POLL_SECONDS)


def watch(children: Sequence[Child]) -> None:
    """Never returns by itself: raises ChildFailed once a child has ended."""
    while True:
        for child in children:
            child.check()
        time.sleep(POLL_SECONDS)


def stop(children: Sequence[Child]) -> None:
    """End the first, which sends, and then the others together; each with what it has started."""
    for group in (children[:1], children[1:]):
        running = [child.process for child in group if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            # Its group outlives it only where it was killed or did not clear up.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port(wanted: int) -> int:
    """The wanted loopback port, or the next one that nobody uses."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as tried:
            # As servers do: a port whose last connections still fade away is free.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                tried.bind(("127.0.0.1", port))
                return port
    raise ChildFailed(f"No port from {wanted} to {wanted + 99} is free on 127.0.0.1.")


def _die_with_parent() -> None:
    """Linux ends the child even if the supervisor was killed with -9."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
