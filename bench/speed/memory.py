"""What a worker weighs with the champion in memory, and whether it grows."""

import time
from collections.abc import Sequence
from typing import Any

from bench.peers import single
from bench.speed import backlog, drain, procs
from bench.speed.procs import Memory
from bench.speed.rows import Pair, Row
from bench.speed.setting import PEERS, BenchFailed, Setting, run_peer

WEIGHT, GROWTH = "memory_vs_bare", "memory_growth_100k"
COMPARED = {
    WEIGHT: "resident memory of a worker's child after a backlog, against a forked child of a "
    "process with the same imports plus the model's own weight",
    GROWTH: "resident memory of the heaviest child of the worker, at the end against after the "
    "first tickets",
}
NAMES = (WEIGHT,)
GROWTH_NAMES = (GROWTH,)
TRIAGED_FIRST = 20
MIB = 2**20


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up("postgres", "valkey")
    backlog.warm(setting)
    modules = _imported(setting)
    pairs, notes = [], []
    for number in range(1, setting.rounds + 1):
        setting.tell(f"{WEIGHT}, round {number} of {setting.rounds}")
        backlog.renew(setting)
        backlog.drained(setting, backlog.put_deliveries, min(setting.sizes.drain, 5_000))
        ours = heaviest(setting)
        order = drain.model_order(setting) | {"modules": modules}
        bare: dict[str, Any] = run_peer(
            PEERS / "bare_model.py", "memory", order=order, folder=setting.stack.folder
        )
        pairs.append(Pair(ours.resident / MIB, (bare["bare_bytes"] + bare["model_bytes"]) / MIB))
        notes.append(_weights(ours, bare, len(modules)))
    backlog.clear()
    return [Row(name, COMPARED[name], "MiB", pairs, notes=notes) for name in names]


def _weights(ours: Memory, bare: dict[str, Any], modules: int) -> str:
    return (
        f"ours {ours.resident / MIB:.0f} MiB resident, {ours.proportional / MIB:.0f} with shared "
        f"pages divided; a forked child with {modules - len(bare['missing']):,} of {modules:,} "
        f"modules {bare['bare_bytes'] / MIB:.0f}, the model {bare['model_bytes'] / MIB:.0f}, "
        f"both after one batch {bare['in_use_bytes'] / MIB:.0f}; "
        f"a process of its own, without the model {bare['alone_bytes'] / MIB:.0f}"
    )


def heaviest(setting: Setting) -> Memory:
    """Of the worker's children."""
    return max(
        (procs.memory(pid) for pid in setting.stack.worker.children()),
        key=lambda memory: memory.resident,
    )


def _imported(setting: Setting) -> list[str]:
    """What a worker of the same application has imported once it has triaged tickets."""
    versions = backlog.put_versions(setting, TRIAGED_FIRST)
    peer = drain.started_peer(setting)
    try:
        result = single.modules.apply_async((versions,), queue=single.QUEUE)
        deadline = time.monotonic() + drain.PATIENCE_SECONDS
        while time.monotonic() < deadline:
            told = single.results.get_task_meta(result.id)
            if told["status"] == "SUCCESS":
                return list(told["result"])
            time.sleep(drain.POLL_SECONDS)
    finally:
        peer.stop()
    raise BenchFailed(f"The peer did not say what it has imported. {peer.last_words()}")


def growth_rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    """One long run whatever the rounds: what grows does so with the tickets."""
    setting.stack.up("postgres", "valkey")
    backlog.warm(setting)
    children = setting.stack.worker.children()
    chunk, total = setting.sizes.growth_chunk, setting.sizes.growth
    weights: list[float] = []
    for done in range(chunk, total + 1, chunk):
        backlog.renew(setting)
        backlog.drained(setting, backlog.put_deliveries, chunk)
        weights.append(heaviest(setting).resident / MIB)
        setting.tell(f"{GROWTH}: {done:,} of {total:,} tickets, {weights[-1]:.0f} MiB")
    backlog.clear()
    if setting.stack.worker.children() != children:
        raise BenchFailed("The worker replaced a child meanwhile: there is nothing to compare.")
    note = f"MiB after each {chunk:,}: {' '.join(f'{weight:.0f}' for weight in weights)}"
    compared = f"{COMPARED[GROWTH]} {chunk:,}, {total:,} tickets in all"
    return [Row(GROWTH, compared, "MiB", [Pair(weights[-1], weights[0])], notes=[note])]
