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
    second_at = models.FloatField(
        null=True,
        blank=True,
        help_text="Probability at which a second person's answer was drawn; empty: it was not.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(propensity__gt=0, propensity__lte=1), name="spot_check_propensity"
            ),
            models.CheckConstraint(
                condition=Q(second_at__isnull=True) | Q(second_at__gt=0, second_at__lte=1),
                name="spot_check_second_in_0_1",
            ),
        ]
        indexes = [models.Index(fields=["-drawn_at"], name="spot_check_recent")]
        triggers = touching(OF_PROPOSAL, pgtrigger.Insert, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"check of proposal {self.proposal_id}"


class BlindAnswer(models.Model):
    """What one person answered before the advice was shown. Never edited.

    `nth` is 1 for whoever then decides, 2 for a second look, 3 for one between two that differ.
    """

    check_of = models.ForeignKey(SpotCheck, models.CASCADE, related_name="answers", db_index=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="blind_answers"
    )
    answered_at = models.DateTimeField()
    seconds = models.FloatField(help_text="From the first look to the answer.")
    nth = models.PositiveSmallIntegerField(default=1, help_text="Of the answers to the check.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_of", "reviewer"], name="blind_answer_once"),
            models.UniqueConstraint(fields=["check_of", "nth"], name="blind_answer_in_turn"),
            models.CheckConstraint(condition=Q(nth__range=(1, 3)), name="blind_answer_1_to_3"),
        ]
        indexes = [
            models.Index(fields=["answered_at"], name="blind_answer_by_time"),
            # A person's own second looks, which are few among their answers.
            models.Index(
                fields=["reviewer", "-answered_at"],
                condition=Q(nth__gt=1),
                name="second_look_by_person",
            ),
        ]
        triggers = touching(OF_CHECK, pgtrigger.Insert, pgtrigger.Delete)

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


class SecondLook(models.Model):
    """A check that waits for another person's blind answer; the row goes when nobody is needed.

    A table of its own, as that of what waits for a decision is. Whoever looks holds it until a
    moment, so that two people are never given the same.
    """

    check_of = models.OneToOneField(
        SpotCheck, models.CASCADE, primary_key=True, related_name="second_look"
    )
    nth = models.PositiveSmallIntegerField(help_text="Of the answer that it waits for: 2 or 3.")
    since = models.DateTimeField()
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(nth__in=(2, 3)), name="second_look_2_or_3"),
            models.CheckConstraint(
                condition=Q(holder__isnull=True) | Q(until__isnull=False),
                name="second_look_held_until",
            ),
        ]
        indexes = [models.Index(fields=["since"], name="second_look_oldest")]
        # What comes with an answer is noted by the answer; one may also go without.
        triggers = touching(OF_CHECK, pgtrigger.Delete)

    def __str__(self) -> str:
        return f"answer {self.nth} to check {self.check_of_id}"


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
