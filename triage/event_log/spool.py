"""Snapshots in the order of incidents, with memory for one run of them only.

The rows of an incident may stand anywhere in a log. So runs of rows are sorted and written to
nameless files, which the system removes by itself, and then read side by side.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from heapq import merge
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

from triage.event_log.rows import Snapshot

RUN_ROWS = 50_000
# As many files are open at most; more runs are merged to one before.
MOST_RUNS = 100


@contextmanager
def in_order(
    snapshots: Iterable[Snapshot], *, run_rows: int = RUN_ROWS, most_runs: int = MOST_RUNS
) -> Iterator[Iterator[Snapshot]]:
    """Reads all of them, then answers them sorted; a log of one run never touches the disk."""
    source = iter(snapshots)
    run = sorted(islice(source, run_rows))
    with ExitStack() as files:
        runs: list[IO[str]] = []
        while len(run) == run_rows:
            runs.append(_write(files.enter_context(_nameless()), run))
            if len(runs) == most_runs:
                longer = _write(files.enter_context(_nameless()), merge(*map(_read, runs)))
                for file in runs:
                    file.close()
                runs = [longer]
            run = sorted(islice(source, run_rows))
        yield merge(*map(_read, runs), run)


def _nameless() -> IO[str]:
    return TemporaryFile("w+", encoding="utf-8", newline="\n")


def _write(file: IO[str], run: Iterable[Snapshot]) -> IO[str]:
    file.writelines(json.dumps(snapshot) + "\n" for snapshot in run)
    return file


def _read(file: IO[str]) -> Iterator[Snapshot]:
    file.seek(0)
    for line in file:
        yield Snapshot(*json.loads(line))
