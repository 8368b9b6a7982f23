"""Mails to the owner of a model: what drifted, and when training again would pay. Each once."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from triage.models import DriftFinding, ModelVersion, RetrainingProposal

logger = logging.getLogger(__name__)

WHAT_FOLLOWS = {
    True: "It is grave: choices of this field that were applied without a person are suggestions "
    "from now on, until they are certified again.",
    False: "Nothing was changed by itself.",
}


def send(version: ModelVersion) -> int:
    """Mail what stands open and was not mailed yet; answers how many mails went out.

    A mail that cannot be sent is tried again the next night; one that was sent but could not be
    noted goes twice.
    """
    to = version.owner.email or version.field.source.owner.email
    findings = DriftFinding.objects.filter(
        model_version=version, until__isnull=True, mailed_at__isnull=True
    )
    proposals = RetrainingProposal.objects.filter(
        field=version.field_id, closed_at__isnull=True, mailed_at__isnull=True
    )
    due: list[tuple[DriftFinding | RetrainingProposal, str, str]] = [
        (row, *_of_finding(version, row)) for row in findings.order_by("kind")
    ]
    due += [(row, *_of_proposal(version, row)) for row in proposals]
    if due and not to:
        logger.warning("model %s: nobody to mail %s alerts to", version.pk, len(due))
        return 0
    for row, subject, body in due:
        send_mail(" ".join(subject.split()), body, None, [to])
        row.mailed_at = timezone.now()
        row.save(update_fields=["mailed_at"])
    return len(due)


def _of_finding(version: ModelVersion, finding: DriftFinding) -> tuple[str, str]:
    kind = finding.get_kind_display()
    ends = finding.is_grave and finding.kind in ("inputs", "out_of_scope")
    return (
        f"[Countersign] {version} of {version.field.source}: drift of {kind}",
        f"Since {finding.since} what {version} answers has moved away from what it first did.\n"
        f"{finding.said}\n{WHAT_FOLLOWS[ends]}\n\n"
        f"{settings.SITE_URL}/admin/triage/modelversion/{version.pk}/drift/\n",
    )


def _of_proposal(version: ModelVersion, proposal: RetrainingProposal) -> tuple[str, str]:
    listed = "\n".join(f"- {reason}" for reason in proposal.reasons)
    return (
        f"[Countersign] {version.field} of {version.field.source}: training again would pay",
        f"{proposal.new_labels} labels are new.\n{listed}\n\n"
        f"{settings.SITE_URL}/admin/triage/retrainingproposal/{proposal.pk}/change/\n",
    )
