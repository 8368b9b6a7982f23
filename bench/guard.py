"""Waits until the process that started it has ended, then ends all that runs in a folder.

    guard.py FOLDER [REMOVE...]

Told by the end of its standard input, which the kernel closes however a process ends. A process
belongs to the folder if its working directory is there or below, which also finds grandchildren
whose parents are gone. Runs on its own, from the standard library alone.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

ROUNDS = 100
PAUSE_SECONDS = 0.1


def inside(folder: Path) -> list[int]:
    """Processes whose working directory is the folder or below."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(folder):
                    found.append(int(entry.name))
    return found


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, *doomed = sys.argv[1:]
    sys.stdin.buffer.read()
    for _ in range(ROUNDS):
        left = inside(Path(folder).resolve())
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            break
        time.sleep(PAUSE_SECONDS)
    for path in doomed:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
