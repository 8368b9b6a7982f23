"""What the tickets say: a public set of real IT tickets where it is there, else the demo's own.

TRIAGE_DATA_DIR  folder of the public data sets (default ../shared/data beside the project)
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import IO

from django.conf import settings
from django.utils import timezone

from bench.world import Desk, train_champion
from triage.demo.corpus import stories
from triage.learning import registry, training
from triage.models import Choice, Field, Label, ModelVersion, Ticket

FILE = "it-service-tickets/tickets.csv.gz"
SUBJECT_WORDS = 7
SEED = 20


@dataclass(frozen=True)
class Written:
    """One ticket's text, with the category it belongs to."""

    subject: str
    body: str
    category: str


@dataclass(frozen=True)
class Corpus:
    """`name` says where the texts are from; `fresh` are those that no model has learnt."""

    name: str
    fresh: Sequence[Written]

    def at(self, number: int) -> Written:
        """The text of ticket `number`; they come round again after the last."""
        return self.fresh[number % len(self.fresh)]


def prepare(desk: Desk, *, labels: int) -> tuple[Corpus, ModelVersion]:
    """Teach a champion for the category from solved tickets of the desk, and answer it.

    `labels` is how many tickets of the public set it learns from; the demo's are few, and all of
    its past is learnt.
    """
    path = settings.TRIAGE_DATA_DIR
    if not (path / FILE).exists():
        fresh = [Written(s.subject, s.body, s.category) for s in stories()]
        return Corpus("the demo's hand-written tickets", fresh), train_champion(desk)
    with gzip.open(path / FILE, "rt", encoding="utf-8", newline="") as lines:
        return _from_public(desk, _rows(lines), labels)


def _rows(lines: IO[str]) -> Iterator[Written]:
    for row in csv.DictReader(lines):
        words = row["text"].split()
        yield Written(
            " ".join(words[:SUBJECT_WORDS]),
            " ".join(words[SUBJECT_WORDS:]),
            row["topic"].lower().replace(" ", "-"),
        )


def _from_public(desk: Desk, rows: Iterator[Written], labels: int) -> tuple[Corpus, ModelVersion]:
    learnt, fresh = list(islice(rows, labels)), list(rows)
    enough = Counter(row.category for row in learnt)
    field = Field.objects.get(source=desk.source, key="category")
    # Children first: they keep their parents.
    field.choices.filter(parent__isnull=False).delete()
    field.choices.all().delete()
    teams = list(Choice.objects.filter(field__source=desk.source, field__key="team"))
    choices = {}
    for number, key in enumerate(sorted(enough)):
        choices[key] = Choice.objects.create(field=field, key=key, name=key.title())
        choices[key].implies.add(teams[number % len(teams)])
    _solved(desk, field, choices, learnt)
    version = training.train(field, owner=desk.source.owner, seed=SEED, leave_out_small=True)
    registry.promote(version, by=desk.source.owner, reason="The first model.")
    said = f"{FILE}: learnt {len(learnt):,} tickets of {len(choices)} topics, tried on others"
    return Corpus(said, fresh), version


def _solved(
    desk: Desk, field: Field, choices: dict[str, Choice], learnt: Sequence[Written]
) -> None:
    """Solved tickets with their labels, one closed each minute up to now."""
    now = timezone.now()
    tickets = [
        Ticket(
            source=desk.source,
            external_id=f"solved-{number}",
            version=1,
            subject=row.subject,
            body=row.body,
            values={field.key: row.category},
            opened_at=now - timedelta(minutes=len(learnt) - number + 60),
            closed_at=now - timedelta(minutes=len(learnt) - number),
            resolution="Solved.",
        )
        for number, row in enumerate(learnt)
    ]
    stored = Ticket.objects.bulk_create(tickets, batch_size=2000)
    Label.objects.bulk_create(
        [
            Label(
                ticket=ticket,
                field=field,
                choice=choices[row.category],
                origin=Label.Origin.HISTORY,
            )
            for ticket, row in zip(stored, learnt, strict=True)
        ],
        batch_size=2000,
    )
