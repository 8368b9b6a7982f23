"""A source's policies for those who ask for every batch: read again only when a row has changed.

Reading them takes a dozen statements, and much of the time of a small batch. A digest of the rows
takes one, and cannot be out of date: it is taken from the rows themselves, whoever wrote them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from triage.models import Certificate, Source
from triage.policies import Policies, policies_of

# A worker meets no more sources than these at once; past that it reads again.
MOST_SOURCES = 64

# Of each row the place and the transaction that wrote it: an update changes at least one of them.
# All that `policies_of` reads is here; what else the tables hold of the source does no harm.
DIGEST = """
    WITH field AS (
        SELECT id, ctid, xmin FROM triage_field WHERE source_id = %(source)s
    ), choice AS (
        SELECT id, ctid, xmin FROM triage_choice WHERE field_id IN (SELECT id FROM field)
    ), rule AS (
        SELECT id, ctid, xmin FROM triage_escalationrule WHERE source_id = %(source)s
    ), playbook AS (
        SELECT id, ctid, xmin FROM triage_playbook WHERE source_id = %(source)s
    ), place AS (
        SELECT 1 AS part, * FROM field
        UNION ALL SELECT 2, * FROM choice
        UNION ALL SELECT 3, * FROM rule
        UNION ALL SELECT 4, * FROM playbook
        UNION ALL SELECT 5, id, ctid, xmin FROM triage_choice_implies
            WHERE from_choice_id IN (SELECT id FROM choice)
        UNION ALL SELECT 6, id, ctid, xmin FROM triage_ruleversion
            WHERE rule_id IN (SELECT id FROM rule)
        UNION ALL SELECT 7, id, ctid, xmin FROM triage_playbook_for_choices
            WHERE playbook_id IN (SELECT id FROM playbook)
        UNION ALL SELECT 8, id, ctid, xmin FROM triage_rung
            WHERE field_id IN (SELECT id FROM field)
            OR playbook_id IN (SELECT id FROM playbook)
        UNION ALL SELECT 9, id, ctid, xmin FROM triage_modelversion
            WHERE field_id IN (SELECT id FROM field)
        UNION ALL SELECT 10, id, ctid, xmin FROM triage_certificate
            WHERE field_id IN (SELECT id FROM field)
        UNION ALL SELECT 11, id, ctid, xmin FROM triage_emergencystop WHERE released_at IS NULL
    )
    SELECT count(*), coalesce(sum(hashtextextended(concat_ws('/', part, ctid, xmin), id)), 0)
    FROM place
"""


@dataclass(frozen=True)
class Kept:
    """Policies with the digest of their rows, good until a certificate ends."""

    digest: tuple[int, Decimal]
    policies: Policies
    until: datetime | None


_kept: dict[int, Kept] = {}


def policies_in_force(source: Source) -> Policies:
    """What `policies_of` answers at this moment; not to be changed by who asked."""
    digest = _digest(source)
    kept = _kept.get(source.pk)
    if kept is None or kept.digest != digest or _is_over(kept.until):
        # What changes or ends from here on is read or not; it is noticed next time either way.
        until = _first_end(source)
        kept = Kept(digest, policies_of(source), until)
        if len(_kept) >= MOST_SOURCES:
            _kept.clear()
        _kept[source.pk] = kept
    return kept.policies


def _digest(source: Source) -> tuple[int, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(DIGEST, {"source": source.pk})
        count, total = cursor.fetchone()
    return int(count), Decimal(total)


def _is_over(until: datetime | None) -> bool:
    return until is not None and until <= timezone.now()


def _first_end(source: Source) -> datetime | None:
    """When the first certificate ends of those that hold now: no row changes then."""
    live = Certificate.objects.filter(field__source=source, expires_at__gt=timezone.now())
    first: datetime | None = live.aggregate(first=Min("expires_at"))["first"]
    return first
