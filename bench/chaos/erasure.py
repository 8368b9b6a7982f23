"""Twenty words of one requester, seen everywhere before they are erased and nowhere after."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from bench import ground, traces
from bench.chaos.canaries import (
    MAIN,
    OTHER,
    PHRASES,
    QUIET_SECONDS,
    Canaries,
    canaries,
    live_through,
)
from bench.chaos.dressed import session_of
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.load import Sender, in_threads
from bench.stack import Stack
from review.metrics.registry import ENTRIES
from triage import ledger
from triage.learning import registry, serving
from triage.learning.serving import Answer
from triage.models import Choice, Delivery, Label, Prediction, Proposal, Ticket

COUNTED = (Ticket, Delivery, Proposal, Prediction, Label)
ERASE_SECONDS = 300
ASKING_THREADS = 4


def erased(stack: Stack, *, others: int) -> Result:
    """Positive control, erasure by the command, and the same search again."""
    stack.up()
    with canaries() as told:
        live_through(stack, told, others=others)
        known = _answers(told)
        rows = [table.objects.count() for table in COUNTED]
        before = _everywhere(stack, told)
        missing = _missing(told, before)
        _erase(stack, told)
        for part in (stack.worker, stack.writer, stack.sweeper):
            part.signal(signal.SIGCONT)
        until_quiet(QUIET_SECONDS)
        repeated = _repeat(stack, told)
        after = _everywhere(stack, told)
        kept = [table.objects.count() for table in COUNTED]
        unlike = sum(one != other for one, other in zip(known, _answers(told), strict=True))
        served = _still_served(stack, told)
    left = sorted({place for places in after.values() for place in places})
    seen = len(before.keys() & set(told.words.values()))
    return Result(
        passed=not missing
        and not left
        and kept == rows
        and repeated == 200
        and not unlike
        and served
        and ledger.verify() is None,
        figure=f"{seen} of {len(told.words)} words seen before "
        f"({sum(map(len, before.values()))} places, {len(missing)} missing), "
        f"{len(after)} after; {sum(rows)} rows before, {sum(kept)} after; a repetition got "
        f"{repeated}; {unlike} of {len(known)} other answers changed, next ticket "
        f"{'predicted' if served else 'not predicted'}"
        + (f"; left in {', '.join(left[:6])}" if left else "")
        + (f"; not seen: {', '.join(missing[:6])}" if missing else ""),
    )


def _everywhere(stack: Stack, told: Canaries) -> traces.Places:
    """By word, every place that holds it; words that are nowhere are left out."""
    words = set(told.words.values())
    found: traces.Places = traces.in_database(words)
    models = Path(settings.COUNTERSIGN_MODEL_DIR)
    for more in (
        _named("model", traces.in_files(_files(models), words | told.in_models)),
        _named("file", traces.in_files(_kept_files(stack, models), words)),
        _named("broker", traces.in_broker(settings.REDIS_URL, words)),
        _named("answer", _in_answers(stack, told)),
    ):
        for word, places in more.items():
            found.setdefault(word, set()).update(places)
    return found


def _missing(told: Canaries, before: traces.Places) -> list[str]:
    """What the search should have found and did not, and what no log may ever hold."""
    wrong = []
    for name, word in told.words.items():
        places = before.get(word, set())
        wrong += [f"{name} in {place}" for place in told.expected[word] - places]
        wrong += [f"{name} not kept out of {place}" for place in places if _is_log(place)]
        if not any(place.startswith("answer ") for place in places):
            wrong.append(f"{name} in an answer")
    for learnt in told.in_models:
        if not any(place.startswith("model ") for place in before.get(learnt, ())):
            wrong.append(f"{learnt} in a model")
    return wrong


def _is_log(place: str) -> bool:
    return place.startswith(("file ", "broker "))


def _named(kind: str, found: traces.Places) -> traces.Places:
    return {word: {f"{kind} {place}" for place in places} for word, places in found.items()}


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ()


def _kept_files(stack: Stack, models: Path) -> Iterable[Path]:
    """Logs of all parts and whatever else they wrote, but for the database's own files."""
    own = (stack.folder / "postgres", models)
    return (
        path
        for path in _files(stack.folder)
        if not any(path.is_relative_to(folder) for folder in own)
    )


def _in_answers(stack: Stack, told: Canaries) -> traces.Places:
    """What the API, the pages, the tables for spreadsheets and the desk say."""
    sender = Sender(stack.url, told.desk)
    owner = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("root")
    cookie = {"cookie": "=".join(session_of(owner))}
    with_token = {"authorization": f"Token {told.token}"}

    def asked(address: str) -> tuple[str, set[str]]:
        headers = with_token if address.startswith("/api/") else cookie
        answer = sender.send("GET", address, b"", headers)
        if answer.status != 200:
            raise RuntimeError(f"{address} was answered {answer.status}.")
        return address, traces.in_bytes(answer.body, told.words.values())

    found: traces.Places = {}
    works = [partial(asked, address) for address in _addresses(told)]
    for address, words in in_threads(works, ASKING_THREADS):
        for word in words:
            found.setdefault(word, set()).add(address)
    return found


def _addresses(told: Canaries) -> list[str]:
    tickets = Ticket.objects.filter(source=told.source)
    hers = tickets.exclude(requester="colleague@example.org")
    listed = [f"/api/v1/{name}/?limit=200" for name in ("tickets", "proposals", "decisions")]
    listed += ["/", "/history/", *(f"/metrics/{key}.csv" for key in ENTRIES)]
    for name in ("ticket", "delivery", "proposal", "effect", "prediction", "label", "job"):
        listed.append(reverse(f"admin:triage_{name}_changelist"))
    listed.append(reverse("admin:review_decision_changelist"))
    for ticket in hers:
        listed += [f"/api/v1/tickets/{ticket.pk}/", f"/tickets/{ticket.pk}/"]
        listed.append(reverse("admin:triage_ticket_change", args=[ticket.pk]))
        listed += [
            reverse("admin:triage_effect_change", args=[effect.pk])
            for effect in ticket.effects.all()
        ]
        listed += [f"/api/v1/proposals/{proposal.pk}/" for proposal in ticket.proposals.all()]
    # What led to a row is shown with it.
    stray = Delivery.objects.filter(source=told.source, events=None, versions=None)
    listed += [reverse("admin:triage_delivery_change", args=[each.pk]) for each in stray]
    return listed


def _erase(stack: Stack, told: Canaries) -> None:
    """As an owner would from a shell; what it says is kept where the logs are looked through."""
    command = [sys.executable, str(ground.PROJECT / "manage.py"), "erase", "--yes"]
    with (stack.folder / "erase.log").open("ab") as log:
        subprocess.run(
            [*command, "--requester", told.address],
            cwd=stack.folder,
            env=os.environ | {"PYTHONPATH": str(ground.PROJECT)},
            stdout=log,
            stderr=log,
            timeout=ERASE_SECONDS,
            check=True,
        )


def _repeat(stack: Stack, told: Canaries) -> int:
    """Her first delivery once more, as a helpdesk does that has seen no answer."""
    status = Sender(stack.url, told.desk).post(told.first, webhook_id="canary-first").status
    until_quiet(QUIET_SECONDS)
    return status


def _answers(told: Canaries) -> list[Answer]:
    """What each version says of what others wrote."""
    texts = [*PHRASES.values(), *(f"{text} 3" for text in PHRASES.values())]
    live = frozenset({MAIN, OTHER})
    found: list[Answer] = []
    for version in told.models:
        version.refresh_from_db()
        found += serving.ask(version, texts, live)
    return found


def _still_served(stack: Stack, told: Canaries) -> bool:
    """Whether the worker, which had the old files in memory, predicts with the new ones."""
    sender = Sender(stack.url, told.desk)
    bob = {"address": "bob@example.org", "name": "Bob"}
    message = told.message("bobs", subject="vpn", body=PHRASES[MAIN], requester=bob, url="")
    sender.deliver(message)
    until_quiet(QUIET_SECONDS)
    field = Choice.objects.get(field__source=told.source, key=MAIN).field
    return Prediction.objects.filter(
        ticket_version__ticket__external_id="bobs",
        ticket_version__ticket__source=told.source,
        model_version=registry.champion(field),
    ).exists()


# From more than 2,000 texts a model keeps no piece of a word that one person wrote.
CHECKS = [Check("erasure", erased, full={"others": 1900}, small={"others": 40})]
