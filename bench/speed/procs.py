"""What processes use, as Linux tells it: memory and processor time."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """Bytes: resident, and with each shared page divided among those that share it."""

    resident: int
    proportional: int


def memory(pid: int) -> Memory:
    kilobytes = {"Rss": 0, "Pss": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        if name in kilobytes:
            kilobytes[name] = int(rest.split()[0])
    return Memory(kilobytes["Rss"] * 1024, kilobytes["Pss"] * 1024)


def children(pid: int) -> list[int]:
    """Direct children, the oldest first; empty where the process is gone."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return sorted(found)


def tree(pid: int) -> list[int]:
    return [pid, *(below for child in children(pid) for below in tree(child))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time of the processes and of those children of theirs that have ended."""
    ticks = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in brackets may hold spaces; utime, stime, cutime, cstime are 14 to 17.
        ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))
    return ticks / TICKS_A_SECOND
