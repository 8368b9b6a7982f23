"""Model files that are not what they should be: none is loaded, and the champion goes on."""

import logging
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db import connections

from bench.chaos import bad_models
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.load import Sender, ticket
from bench.stack import Stack
from bench.world import Desk, new_desk, train_champion
from triage.learning import artefacts, registry, serving
from triage.learning.artefacts import ArtefactRefused
from triage.learning.registry import PromotionRefused
from triage.learning.serving import model_path
from triage.models import ModelVersion, Prediction, Proposal

QUIET_SECONDS = 120.0
TEXTS = ["VPN drops every hour", "The printer on the second floor is jammed"]


@dataclass
class Tally:
    """What became of bad files. Any error but a clear refusal counts as loaded or promoted."""

    tried: int = 0
    loaded: list[str] = field(default_factory=list)
    promoted: list[str] = field(default_factory=list)

    def said(self) -> str:
        worst = "; ".join((self.loaded + self.promoted)[:3])
        return f"{self.tried:,} files: {len(self.loaded)} loaded, {len(self.promoted)} promoted" + (
            f" ({worst})" if worst else ""
        )


def model_files(stack: Stack, *, flips: int, tickets: int) -> Result:
    """Bad files in the place of a candidate's, then of the champion's own, while tickets come."""
    stack.up()
    desk = new_desk()
    champion = train_champion(desk)
    candidate = _candidate(champion)
    path, canary = model_path(candidate), stack.folder / "canary"
    good = path.read_bytes()
    tally = _try_bad_files(candidate, champion, flips, canary)
    meanwhile = _proposed(stack, desk, tickets, champion)
    own = _with_its_own_file_broken(stack, desk, tickets, champion)
    path.write_bytes(good)
    registry.promote(candidate, by=desk.source.owner, reason="The file is whole again.")
    after = _proposed(stack, desk, tickets, candidate)
    every = (tickets, tickets)
    return Result(
        passed=not tally.loaded
        and not tally.promoted
        and tally.tried > flips
        and not canary.exists()
        and [meanwhile, *own, after] == [every, (tickets, 0), every, every],
        figure=f"{tally.said()}, {int(canary.exists())} traps sprung; of {tickets} tickets each: "
        f"{meanwhile[1]} answered by the champion meanwhile; with its own file broken "
        f"{own[0][0]} proposed without a model, {own[1][1]} with it once it was back; "
        f"{after[1]} by the whole new file",
    )


def _candidate(champion: ModelVersion) -> ModelVersion:
    """Another version that answers alike, from a whole file of its own."""
    key = settings.COUNTERSIGN_MODEL_KEY.encode()
    name = f"candidate-{champion.pk}.skops"
    path = Path(settings.COUNTERSIGN_MODEL_DIR) / name
    manifest = artefacts.save(artefacts.load(model_path(champion), key), path, key)
    return ModelVersion.objects.create(
        field=champion.field,
        number=champion.number + 1,
        owner=champion.owner,
        artefact=name,
        sha256=manifest.sha256,
        evidence=champion.evidence,
        choices=champion.choices,
        label_count=champion.label_count,
    )


def _try_bad_files(
    candidate: ModelVersion, champion: ModelVersion, flips: int, canary: Path
) -> Tally:
    """Leaves the last of them in the candidate's place."""
    path, tally = model_path(candidate), Tally()
    good, key = path.read_bytes(), settings.COUNTERSIGN_MODEL_KEY.encode()
    path.unlink()
    logging.getLogger(serving.__name__).setLevel(logging.WARNING)
    _try("no file", candidate, tally)
    path.mkdir()
    _try("a directory", candidate, tally)
    path.rmdir()
    path.write_bytes(model_path(champion).read_bytes())
    _try("the champion's own file", candidate, tally)
    for name, content in bad_models.bad_files(good, key, canary):
        path.write_bytes(content)
        _try(name, candidate, tally)
    for name, content in bad_models.flipped(good, flips):
        path.write_bytes(content)
        _try(name, candidate, tally)
    return tally


def _try(name: str, version: ModelVersion, tally: Tally) -> None:
    """As workers do when they are asked, and as owners do when they promote."""
    tally.tried += 1
    live = frozenset(version.choices)
    try:
        serving.ask(version, TEXTS, live)
        tally.loaded.append(name)
    except ArtefactRefused:
        pass
    except Exception as error:
        tally.loaded.append(f"{name} was not refused but {type(error).__name__}: {error}")
    try:
        registry.promote(version, by=version.owner, reason="Trying.")
        tally.promoted.append(name)
    except PromotionRefused:
        pass
    except Exception as error:
        tally.promoted.append(f"{name} was not refused but {type(error).__name__}: {error}")


def _with_its_own_file_broken(
    stack: Stack, desk: Desk, tickets: int, champion: ModelVersion
) -> list[tuple[int, int]]:
    """Counts of `_proposed` with the champion's file broken, then with it whole again.

    The workers are started anew, so that none has it in memory.
    """
    path = model_path(champion)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    for part in (stack.worker, stack.sweeper):
        part.stop()
    broken = _proposed(stack, desk, tickets, champion)
    path.write_bytes(good)
    return [broken, _proposed(stack, desk, tickets, champion)]


_numbers = count(1)


def _proposed(stack: Stack, desk: Desk, tickets: int, model: ModelVersion) -> tuple[int, int]:
    """Of so many new tickets: how many were proposed, how many with a prediction by the model."""
    stack.up()
    connections.close_all()
    sender = Sender(stack.url, desk)
    ids = [f"M-{next(_numbers)}" for _ in range(tickets)]
    for number, name in enumerate(ids):
        sender.deliver(ticket(number, id=name))
    until_quiet(QUIET_SECONDS)
    ours = Proposal.objects.filter(ticket__source=desk.source, ticket__external_id__in=ids)
    answered = Prediction.objects.filter(
        ticket_version__proposal__in=ours, model_version=model
    ).distinct()
    return ours.count(), answered.count()


CHECKS = [
    Check(
        "model files",
        model_files,
        full={"flips": 1000, "tickets": 50},
        small={"flips": 60, "tickets": 5},
    )
]
