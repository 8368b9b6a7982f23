"""Model files without the words that only erased tickets had."""

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from triage import ledger
from triage.learning import artefacts, forgetting, vectors
from triage.learning.artefacts import ArtefactRefused
from triage.learning.forgetting import Terms
from triage.learning.serving import model_path
from triage.learning.text import document
from triage.learning.training import name_of
from triage.models import Field, LedgerEntry, ModelVersion, Source, Ticket, TicketVersion

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]
CHUNK = 1000
# What a process that was killed while it saved a model leaves; a live one is done long before.
HALF_WRITTEN = re.compile(r"\.[a-z0-9_]{8}")
ABANDONED_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class Pruned:
    """A version whose file was written anew, or removed: unreadable, or with nothing left in it."""

    version: ModelVersion
    terms: int
    is_removed: bool = False

    def entry(self, actor: str) -> ledger.Entry:
        """What the ledger keeps of it."""
        event = "file removed in an erasure" if self.is_removed else "erased words"
        payload = {"event": event, "terms": self.terms, "sha256": self.version.sha256}
        return ledger.Entry(LedgerEntry.Kind.MODEL, f"model:{self.version.pk}", payload, actor)

    def __str__(self) -> str:
        if self.is_removed:
            return f"{self.version}: its file was removed; train the field again"
        return f"{self.version}: {self.terms} terms taken out"


@transaction.atomic
def forget(tickets: Collection[int], *, tell: Progress) -> list[Pruned]:
    """Prune every version of every field of the tickets' sources, whatever its state.

    To be called while the tickets still have their words. The fields are locked until the
    transaction ends: no version is stored meanwhile. A pruned model is a new file beside the old
    one, which goes when the transaction is committed; what a crash leaves of either goes with the
    next `remove_leftovers`.
    """
    texts = list(_texts(tickets))
    vectors.forget(texts)
    theirs = forgetting.terms_of(texts)
    done: list[Pruned] = []
    for field in _locked(Source.objects.filter(tickets__in=tickets)) if theirs else []:
        versions = list(ModelVersion.objects.filter(field=field).select_related("field__source"))
        if not versions:
            continue
        tell(f"{field.source.slug}: what others wrote about {field.key}")
        gone = forgetting.only_theirs(theirs, _others(field, tickets))
        for version in versions:
            tell(f"{field.source.slug}: model {version}")
            done += _prune(version, gone)
    return done


@transaction.atomic
def remove_leftovers(sources: Collection[Source]) -> None:
    """Remove model files of the sources that no version points at: a killed process left them."""
    folder = Path(settings.COUNTERSIGN_MODEL_DIR)
    if not folder.is_dir():
        return
    fields = _locked(Source.objects.filter(pk__in=[source.pk for source in sources]))
    known = set(ModelVersion.objects.values_list("artefact", flat=True))
    prefixes = tuple(f"{name_of(field)}-v" for field in fields)
    oldest = time.time() - ABANDONED_AFTER_SECONDS
    for path in folder.iterdir():
        is_orphan = path.name.startswith(prefixes) and path.name not in known
        if is_orphan or (HALF_WRITTEN.fullmatch(path.name) and path.stat().st_mtime < oldest):
            path.unlink(missing_ok=True)


def _locked(sources: QuerySet[Source]) -> list[Field]:
    """The sources' fields, locked; rows that only point at a field are still written meanwhile."""
    fields = Field.objects.filter(source__in=sources.order_by().values("pk"))
    locked = fields.select_for_update(no_key=True, of=("self",)).select_related("source")
    return list(locked.order_by("pk"))


def _prune(version: ModelVersion, gone: Terms) -> list[Pruned]:
    key, path = settings.COUNTERSIGN_MODEL_KEY.encode(), model_path(version)
    if not path.exists():
        return []
    try:
        classifier = artefacts.load(path, key, sha256=version.sha256)
    except ArtefactRefused as error:
        # It answers nobody as it is, and what it holds cannot be taken out.
        logger.warning("model %s is removed: %s", version.pk, error)
        transaction.on_commit(lambda: path.unlink(missing_ok=True))
        return [Pruned(version, 0, is_removed=True)]
    unwanted = forgetting.known(classifier, gone)
    if not unwanted:
        return []
    if forgetting.knows_nothing_but(classifier, unwanted):
        transaction.on_commit(lambda: path.unlink(missing_ok=True))
        return [Pruned(version, len(unwanted), is_removed=True)]
    version.artefact = f"{name_of(version.field)}-v{version.number}-{token_hex(4)}.skops"
    manifest = artefacts.save(forgetting.without(classifier, unwanted), model_path(version), key)
    version.sha256 = manifest.sha256
    version.save(update_fields=["artefact", "sha256"])
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return [Pruned(version, len(unwanted))]


def _texts(tickets: Collection[int]) -> Iterator[str]:
    """All that a model could have seen of the tickets, cut and masked as now or not at all."""
    for rows in (
        Ticket.objects.filter(pk__in=tickets),
        TicketVersion.objects.filter(ticket__in=tickets),
    ):
        for subject, body in rows.values_list("subject", "body").iterator(chunk_size=CHUNK):
            yield from _read(subject, body)


def _others(field: Field, tickets: Collection[int]) -> Iterator[str]:
    """The same of all other tickets that teach this field."""
    teaching = Ticket.objects.filter(
        labels__field=field, erased_at__isnull=True, source=field.source_id
    ).exclude(pk__in=tickets)
    pks = teaching.values("pk")
    for rows in (
        Ticket.objects.filter(pk__in=pks),
        TicketVersion.objects.filter(ticket__in=pks),
    ):
        for subject, body in rows.values_list("subject", "body").iterator(chunk_size=CHUNK):
            yield from _read(subject, body)


def _read(subject: str, body: str) -> Iterator[str]:
    """The document, and the raw text: documents were cut differently before an upgrade."""
    yield document(subject, body)
    yield f"{subject}\n{body}"
