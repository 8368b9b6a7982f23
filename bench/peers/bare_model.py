"""The champion without a service around it: how fast it answers, and what it weighs in memory.

    bare_model.py speed < ORDER.json      bare_model.py memory < ORDER.json

A process of its own, run by path with the project on PYTHONPATH. The order gives `model` (path),
`key` (the model key) and, for speed, `texts` (path of a JSON list), `batch` and `warm`, for
memory, `modules` (names to import first). Answers JSON.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django
from threadpoolctl import threadpool_limits

from triage.learning import artefacts


def speed(order: dict[str, Any]) -> dict[str, float]:
    """Texts a second through `predict_proba`, in batches, with one thread for the algebra."""
    classifier = artefacts.load(Path(order["model"]), order["key"].encode())
    texts: list[str] = json.loads(Path(order["texts"]).read_text())
    batch: int = order["batch"]
    with threadpool_limits(1):
        for start in range(0, min(order["warm"], len(texts)), batch):
            classifier.predict_proba(texts[start : start + batch])
        cpu, began = time.process_time(), time.perf_counter()
        for start in range(0, len(texts), batch):
            classifier.predict_proba(texts[start : start + batch])
        seconds = time.perf_counter() - began
    return {
        "texts_per_second": len(texts) / seconds,
        "cpu_seconds": time.process_time() - cpu,
    }


def memory(order: dict[str, Any]) -> dict[str, Any]:
    """Resident bytes of a child that loads the model, forked once all imports are made.

    Forked, because a worker's children are: a child does not map what of the libraries it has
    not touched itself, so a process that has imported them for itself weighs more.
    """
    # What the service imports wants Django to be set up.
    django.setup()
    missing = [name for name in order["modules"] if not _imports(name)]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            json.dump(_weighed(order), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        found = dict(json.load(told))
    os.waitpid(child, 0)
    return found | {"missing": missing, "alone_bytes": resident_bytes()}


def _weighed(order: dict[str, Any]) -> dict[str, int]:
    before = resident_bytes()
    kept = artefacts.load(Path(order["model"]), order["key"].encode())
    loaded = resident_bytes()
    kept.predict_proba(["the printer on the third floor is out of toner"] * 100)
    return {
        "bare_bytes": before,
        "model_bytes": loaded - before,
        "in_use_bytes": resident_bytes(),
    }


def _imports(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:
        return False
    return True


def resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status does not tell VmRSS.")


if __name__ == "__main__":
    answer = {"speed": speed, "memory": memory}[sys.argv[1]]
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
