"""From the figures of a night to what stands open, and to what the machine may do alone.

A finding is open from the first day that shows it to the first that does not.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from triage import ledger
from triage.models import Certificate, DriftFinding, DriftReport, LedgerEntry

Kind = DriftFinding.Kind
# What a certificate was earned on is then no longer what it is used on.
ENDS_CERTIFICATES = (Kind.INPUTS, Kind.OUT_OF_SCOPE)
MEASURED = {
    "words": "words",
    "unknown_words": "share of unknown words",
    "length": "length",
    "in_scope": "in-scope score",
}


@transaction.atomic
def settle(report: DriftReport) -> list[DriftFinding]:
    """Open, renew and close the version's findings by its newest report; answers those open.

    A report on an earlier day than the newest changes nothing: what it says is history. What a
    report could not look at stays as it was. A finding that becomes grave is told again.
    """
    version, day = report.model_version, report.day
    DriftReport.objects.select_for_update().get(pk=report.pk)
    is_newest = not DriftReport.objects.filter(model_version=version, day__gt=day).exists()
    standing = DriftFinding.objects.filter(model_version=version, until__isnull=True)
    if not is_newest:
        return list(standing)
    before = {finding.kind: finding for finding in standing}
    for kind, found in _shown(report.figures).items():
        _settle_one(report, Kind(kind), found, before.get(kind))
    return list(standing.all())


def said_of(kind: str, figures: Mapping[str, Any]) -> str:
    """The figures of one kind in a sentence."""
    if kind == Kind.INPUTS:
        moved = {key: one for key, one in figures.items() if one["is_notable"]} or figures
        listed = ", ".join(f"{MEASURED[key]} {one['index']:.2f}" for key, one in moved.items())
        return f"Stability index of {listed}."
    if kind == Kind.PREDICTIONS:
        return f"Stability index of the proposed choices {figures['index']:.2f}."
    if kind == Kind.OUT_OF_SCOPE:
        return (
            f"{figures['value']:.1%} of tickets are unlike anything learnt; "
            f"it was {figures['reference']:.1%}."
        )
    return (
        f"Stated probabilities are {100 * figures['value']:.1f} points off on blind checks; "
        f"chance would make it {100 * figures['reference']:.1f}."
    )


def _shown(figures: Mapping[str, Any]) -> dict[str, tuple[bool, bool, str]]:
    """Of each kind that was looked at: whether it is notable, whether grave, and a sentence."""
    found = {}
    for kind in Kind.values:
        if kind not in figures:
            continue
        one = figures[kind]
        parts = list(one.values()) if kind == Kind.INPUTS else [one]
        notable = any(part["is_notable"] for part in parts)
        grave = any(part["is_grave"] for part in parts)
        found[kind] = (notable, grave, said_of(kind, one))
    return found


def _settle_one(
    report: DriftReport,
    kind: DriftFinding.Kind,
    found: tuple[bool, bool, str],
    standing: DriftFinding | None,
) -> None:
    is_notable, is_grave, said = found
    if not is_notable:
        if standing is not None:
            _close(standing, report.day)
        return
    becomes_grave = is_grave and not (standing is not None and standing.is_grave)
    if standing is None:
        # A day that is done again may find anew what it had found before.
        standing, _ = DriftFinding.objects.update_or_create(
            model_version=report.model_version,
            kind=kind,
            since=report.day,
            defaults={"is_grave": is_grave, "said": said, "until": None},
        )
    else:
        standing.said = said
        if becomes_grave:
            standing.is_grave, standing.mailed_at = True, None
        standing.save(update_fields=["said", "is_grave", "mailed_at"])
    if becomes_grave and kind in ENDS_CERTIFICATES:
        end_certificates(standing)


def _close(finding: DriftFinding, day: date) -> None:
    finding.until = day
    finding.save(update_fields=["until"])


def end_certificates(finding: DriftFinding) -> int:
    """End what lets the field's rungs act alone: from the next batch on auto is a suggestion.

    Only certificates of the version that drifted; an owner may certify again on new checks.
    """
    now = timezone.now()
    live = Certificate.objects.select_for_update().filter(
        model_version=finding.model_version, expires_at__gt=now
    )
    ended = list(live.order_by("pk").values_list("pk", flat=True))
    Certificate.objects.filter(pk__in=ended).update(expires_at=now)
    ledger.append_all(
        [
            ledger.Entry(
                LedgerEntry.Kind.POLICY,
                f"certificate:{pk}",
                {
                    "event": f"ended by drift of {finding.get_kind_display()}",
                    "finding": finding.pk,
                    "model": finding.model_version_id,
                    "said": finding.said,
                },
            )
            for pk in ended
        ]
    )
    return len(ended)
