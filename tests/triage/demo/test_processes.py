import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triage.demo import processes
from triage.demo.processes import Child, ChildFailed

CHILD_WITH_A_CHILD = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("inner", inner.pid, flush=True)
time.sleep(60)
"""

SUPERVISOR = """
import pathlib, sys, time
from triage.demo.processes import Child
asleep = [sys.executable, "-c", "import time; time.sleep(60)"]
clerk = Child("clerk", asleep, pathlib.Path(sys.argv[1]), lambda _: True)
clerk.start()
print(clerk.process.pid, flush=True)
time.sleep(60)
"""


def child(folder: Path, code: str, ready: str = "", told: str = "") -> Child:
    return Child(
        "clerk",
        [sys.executable, "-c", code],
        folder / "clerk.log",
        lambda own: own.says(ready),
        told,
    )


def is_running(pid: int) -> bool:
    try:
        # Of a process that has ended, a line stays until somebody has asked how.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_a_child_that_ends_is_named_with_its_last_words(tmp_path: Path) -> None:
    ending = child(tmp_path, "print('out of ink'); raise SystemExit(3)", ready="never said")
    ending.start()

    with pytest.raises(ChildFailed, match=r"clerk ended with 3\.(.|\n)*out of ink"):
        processes.wait_for([ending], told=lambda *_: None)
    processes.stop([ending])


def test_secrets_come_by_standard_input(tmp_path: Path) -> None:
    listening = child(tmp_path, "print('heard ' + input()[::-1])", ready="heard", told="terces\n")
    listening.start()
    assert listening.process is not None
    listening.process.wait(10)

    assert listening.log.read_text() == "heard secret\n"


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_stopping_ends_grandchildren_too(tmp_path: Path) -> None:
    parent = child(tmp_path, CHILD_WITH_A_CHILD, ready="inner")
    parent.start()
    seconds: list[float] = []
    processes.wait_for([parent], told=lambda _, took: seconds.append(took))
    inner = int(parent.log.read_text().split()[1])
    assert is_running(inner)

    processes.stop([parent])

    deadline = time.monotonic() + 5
    while is_running(inner) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(inner)
    assert len(seconds) == 1


def test_a_port_in_use_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        taken = used.getsockname()[1]

        assert processes.free_port(taken) != taken


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can promise this")
def test_children_die_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path / "clerk.log")],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )
    assert supervisor.stdout is not None
    with supervisor.stdout as said:
        pid = int(said.readline())
    supervisor.kill()
    supervisor.wait(10)

    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(pid)
