"""Answers given before the advice is seen: spot checks on live work, and practice."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from triage.models import Choice, Field, Proposal
from triage.models.touching import OF_PROPOSAL, quarter, touching

# Of the proposal whose spot check a row belongs to.
OF_CHECK = f"""
SELECT DISTINCT ticket.source_id, {quarter("proposal.created_at")} FROM rows
JOIN review_spotcheck spot_check ON spot_check.id = rows.check_of_id
JOIN triage_proposal proposal ON proposal.id = spot_check.proposal_id
JOIN triage_ticket ticket ON ticket.id = proposal.ticket_id
"""


class SpotCheck(models.Model):
    """That a proposal is answered blind first, drawn by HMAC at a logged probability."""

    proposal = models.OneToOneField(Proposal, models.CASCADE, related_name="spot_check")
    propensity = models.FloatField(help_text="Probability at which it was drawn; above 0.")
    stratum = models.CharField(max_length=40, help_text="By what the probability was set.")
    drawn_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(propensity__gt=0, propensity__lte=1), name="spot_check_propensity"
            )
        ]
        indexes = [models.Index(fields=["-drawn_at"], name="spot_check_recent")]
        triggers = touching(OF_PROPOSAL, pgtrigger.Insert, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"check of proposal {self.proposal_id}"


class BlindAnswer(models.Model):
    """What one person answered before the advice was shown. Never edited."""

    check_of = models.ForeignKey(SpotCheck, models.CASCADE, related_name="answers", db_index=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="blind_answers"
    )
    answered_at = models.DateTimeField()
    seconds = models.FloatField(help_text="From the first look to the answer.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_of", "reviewer"], name="blind_answer_once")
        ]
        indexes = [models.Index(fields=["answered_at"], name="blind_answer_by_time")]

    def __str__(self) -> str:
        return f"{self.check_of_id} by {self.reviewer_id}"


class BlindValue(models.Model):
    """The value of one field in a blind answer; no choice: could not tell."""

    answer = models.ForeignKey(BlindAnswer, models.CASCADE, related_name="values", db_index=False)
    field = models.ForeignKey(Field, models.PROTECT, related_name="+")
    choice = models.ForeignKey(Choice, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["field__position"]
        constraints = [models.UniqueConstraint(fields=["answer", "field"], name="one_blind_value")]

    def __str__(self) -> str:
        return f"{self.field_id}: {self.choice_id}"


class Truth(models.Model):
    """What a field of a checked proposal should have been, as far as blind answers tell.

    There is none where nobody could tell, and none while two who differ wait for a third.
    """

    class Origin(models.TextChoices):
        SINGLE = "single", _("one blind answer")
        AGREED = "agreed", _("two blind answers that agree")
        ADJUDICATED = "adjudicated", _("a third answer between two that differ")

    check_of = models.ForeignKey(SpotCheck, models.CASCADE, related_name="truths", db_index=False)
    field = models.ForeignKey(Field, models.PROTECT, related_name="+")
    choice = models.ForeignKey(Choice, models.PROTECT, related_name="+")
    origin = models.CharField(max_length=12, choices=Origin)
    settled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_of", "field"], name="one_truth_of_a_field")
        ]
        triggers = touching(OF_CHECK, pgtrigger.Insert, pgtrigger.Update, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"{self.field_id} was {self.choice_id}"


class PracticeAnswer(models.Model):
    """One exercise on a past ticket: own answer, then, with the advice in view, the final one.

    Never reaches the helpdesk, training or the service's figures, and is shown to that person
    alone.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="practice", db_index=False
    )
    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="+")
    answer = models.ForeignKey(Choice, models.PROTECT, related_name="+")
    advice = models.ForeignKey(Choice, models.PROTECT, null=True, related_name="+")
    final = models.ForeignKey(Choice, models.PROTECT, null=True, blank=True, related_name="+")
    truth = models.ForeignKey(Choice, models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["person", "-answered_at"], name="practice_by_person")]

    def __str__(self) -> str:
        return f"practice of {self.person_id}"
