"""A desk with one proposal that waits for a decision."""

from dataclasses import dataclass

from django.utils import timezone

from review.models import Reason
from triage import steps
from triage.models import Choice, Playbook, Proposal, Source, SourceSecret, Ticket

REASONS = (
    ("wrong-category", "Wrong category", "override", 1, False),
    ("other", "Other", "override", 8, True),
    ("major-incident", "Major incident", "escalate", 1, False),
    ("not-it", "Not an IT matter", "send_back", 1, False),
)


@dataclass
class Desk:
    """A source, its choices by key, and a ticket whose proposal waits."""

    source: Source
    choices: dict[str, Choice]
    ticket: Ticket

    def __getitem__(self, key: str) -> Choice:
        return self.choices[key]

    @property
    def proposal(self) -> Proposal:
        return Proposal.objects.get(ticket=self.ticket)

    def reason(self, key: str) -> Reason:
        for name, label, applies_to, digit, needs_text in REASONS:
            Reason.objects.get_or_create(
                key=name,
                applies_to=applies_to,
                defaults={"label": label, "digit": digit, "needs_text": needs_text},
            )
        return Reason.objects.get(key=key)

    def retire(self, key: str) -> None:
        Choice.objects.filter(pk=self.choices[key].pk).update(retired_at=timezone.now())
        self.choices[key].refresh_from_db()

    def offer_playbook(self) -> Playbook:
        """Make a playbook for the proposed category and propose anew with it."""
        playbook = Playbook.objects.create(
            source=self.source,
            name="Roll back",
            owner=self.source.owner,
            reply="Hello {requester_name}, it is on its way.",
            action_url="http://127.0.0.1:9/automation",
        )
        playbook.for_choices.add(self.choices["network"])
        secret = SourceSecret(source=self.source, purpose=SourceSecret.Purpose.AUTOMATION)
        secret.put("a-secret-for-the-automation-call")
        secret.save()
        self.proposal.delete()
        steps.propose([self.ticket.versions.get().pk])
        return playbook
