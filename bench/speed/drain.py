"""Proposals a second from a backlog, against the bare model and against a task per ticket."""

import json
import signal
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from bench.parts import Part
from bench.peers import single
from bench.speed import backlog
from bench.speed.rows import Pair, Row
from bench.speed.setting import PEERS, Setting, run_peer
from triage.learning.serving import model_path
from triage.learning.text import document

BATCH = 100
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
PEER_SAYS = "bench-peer@bench ready."
PEER_COMMAND = (
    "celery", "-A", "bench.peers.single", "worker", "--loglevel", "INFO", "--concurrency", "2",
    "--queues", single.QUEUE, "-n", "bench-peer@bench",
)  # fmt: skip


TICKETS, DELIVERIES = "drain_vs_predict_proba", "drain_from_deliveries_vs_predict_proba"
TO_QUIET = "drain_until_quiet_vs_predict_proba"
SINGLE = "drain_vs_task_per_ticket"
COMPARED = {
    TICKETS: "tickets waiting for their proposal, 2 worker processes, against predict_proba of "
    "the same model on the same texts, batches of 100, one process",
    DELIVERIES: "acknowledged deliveries nobody has read, 2 worker processes, against "
    "predict_proba of the same model on the same texts",
    TO_QUIET: "the same deliveries until nothing is left to do, with what is worked out after the "
    "proposals",
    SINGLE: "tickets waiting for their proposal, 2 worker processes, against a Celery task per "
    "ticket, 2 processes",
}
FILLS = {TICKETS: backlog.put_tickets, DELIVERIES: backlog.put_deliveries}
NAMES = (TICKETS, DELIVERIES, TO_QUIET)
SINGLE_NAMES = (SINGLE,)


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up("postgres", "valkey")
    backlog.warm(setting)
    pairs: dict[str, list[Pair]] = {name: [] for name in NAMES}
    notes: dict[str, list[str]] = {name: [] for name in NAMES}
    for number in range(1, setting.rounds + 1):
        for name, fill in FILLS.items():
            if name not in names and not (name == DELIVERIES and TO_QUIET in names):
                continue
            setting.tell(f"{name}, round {number} of {setting.rounds}")
            backlog.renew(setting)
            ours = backlog.drained(setting, fill, setting.sizes.drain)
            bare = _predict_proba(setting)
            pairs[name].append(Pair(ours.rate, bare))
            notes[name].append(ours.told())
            if name == DELIVERIES:
                pairs[TO_QUIET].append(Pair(ours.rate_to_quiet, bare))
    backlog.clear()
    return [Row(name, COMPARED[name], "a second", pairs[name], notes=notes[name]) for name in names]


def _predict_proba(setting: Setting) -> float:
    """Texts a second, of the tickets that were drained last."""
    count = setting.sizes.drain
    texts = [setting.corpus.at(setting.next_ticket - count + place) for place in range(count)]
    path = setting.stack.folder / "texts.json"
    path.write_text(json.dumps([document(text.subject, text.body) for text in texts]))
    order = model_order(setting) | {"texts": str(path), "batch": BATCH, "warm": 5 * BATCH}
    said = run_peer(PEERS / "bare_model.py", "speed", order=order, folder=setting.stack.folder)
    return float(said["texts_per_second"])


def model_order(setting: Setting) -> dict[str, Any]:
    return {"model": str(model_path(setting.model)), "key": settings.COUNTERSIGN_MODEL_KEY}


# --- A task per ticket ----------------------------------------------------------------------


def single_rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up("postgres", "valkey")
    backlog.warm(setting)
    peer = started_peer(setting)
    pairs, notes = [], []
    try:
        # Both children load the model.
        _one_by_one(setting, peer, setting.sizes.warm)
        for number in range(1, setting.rounds + 1):
            setting.tell(f"{SINGLE}, round {number} of {setting.rounds}")
            backlog.renew(setting)
            ours = backlog.drained(setting, backlog.put_tickets, setting.sizes.single)
            pairs.append(Pair(ours.rate, _one_by_one(setting, peer, setting.sizes.single)))
            notes.append(ours.told())
    finally:
        peer.stop()
    backlog.clear()
    return [Row(name, COMPARED[name], "a second", pairs, notes=notes) for name in names]


def started_peer(setting: Setting) -> Part:
    """The peer's worker: the service's own Celery application, with the bench's tasks."""
    peer = setting.python_part("peer", PEER_COMMAND, says=PEER_SAYS)
    peer.start()
    peer.wait_ready()
    return peer


def _one_by_one(setting: Setting, peer: Part, count: int) -> float:
    """Proposals a second; the peer stands still while its tasks are queued.

    The service's own worker stands still throughout: it would take what proposals call for.
    """
    backlog.renew(setting)
    worker = setting.stack.worker
    worker.signal(signal.SIGSTOP)
    peer.signal(signal.SIGSTOP)
    try:
        versions = backlog.put_versions(setting, count)
        backlog.analyse()
        last = backlog.last_proposal()
        for version in versions:
            single.single.apply_async((version,), queue=single.QUEUE)
        began = time.perf_counter()
        peer.signal(signal.SIGCONT)
        ended = backlog.wait_for_proposals(setting, last, len(versions))
        backlog.clear()
    finally:
        peer.signal(signal.SIGCONT)
        worker.signal(signal.SIGCONT)
    return len(versions) / (ended - began)
