"""What the owner says of labels that look wrong. A wrong one teaches no further model."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from triage import ledger
from triage.models import LabelDoubt, LedgerEntry


@transaction.atomic
def judge(doubts: Collection[int], *, verdict: LabelDoubt.Verdict, by: User) -> int:
    """Say of doubted labels whether they are right or wrong; answers of how many it was news.

    `doubts` are primary keys. A verdict may be changed; saying the same again changes nothing.
    """
    if verdict == LabelDoubt.Verdict.OPEN:
        raise ValueError("A verdict is right or wrong, got none.")
    locked = LabelDoubt.objects.select_for_update(of=("self",)).filter(pk__in=doubts)
    changed = list(locked.exclude(verdict=verdict).select_related("label").order_by("pk"))
    for doubt in changed:
        doubt.verdict, doubt.said_by, doubt.said_at = verdict, by, timezone.now()
    LabelDoubt.objects.bulk_update(changed, ["verdict", "said_by", "said_at"], batch_size=500)
    ledger.append_all([_entry(doubt, by) for doubt in changed])
    return len(changed)


def _entry(doubt: LabelDoubt, by: User) -> ledger.Entry:
    return ledger.Entry(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"label:{doubt.label_id}",
        payload={
            "event": f"called {doubt.verdict}",
            "field": doubt.label.field_id,
            "given": doubt.given_id,
            "suggested": doubt.suggested_id,
            "model": doubt.model_version_id,
        },
        actor=ledger.actor_of(by),
    )
