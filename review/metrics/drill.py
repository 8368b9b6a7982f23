"""The proposals behind one figure: the rows that its count has counted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from review.metrics import cohorts, definitions, story_drill, versions
from review.metrics.cohorts import BY_AI, Outcome
from review.metrics.figures import AI, Bucket
from review.metrics.groups import (
    COLUMNS,
    NONE,
    STORY_COLUMNS,
    Columns,
    in_counted_group,
    in_group,
    name_groups,
)
from review.metrics.meaning import Definition
from review.metrics.opening_counts import opened
from review.metrics.registry import ENTRIES
from review.metrics.window import Group, Scope
from review.models import Reason
from triage.models import Choice, Field, Proposal

COHORTS = {
    definitions.UNTOUCHED.key: cohorts.proposals,
    definitions.ACCEPTANCE.key: cohorts.answered,
    definitions.ESCALATED.key: cohorts.by_model,
    definitions.REOPENED.key: cohorts.matured,
    definitions.TIME_TO_DECISION.key: cohorts.decided,
    definitions.OVERRIDE_REASONS.key: cohorts.decided,
    definitions.STEP_INS.key: cohorts.decided,
}
# Parameters that say nothing of a ticket.
OF_PROPOSALS = ("state", "field", "reason", "was", "became")
KEY = rf"^(?:[0-9]{{1,18}}|{NONE})$"


class BucketForm(forms.Form):
    """Reads a Bucket from query parameters."""

    metric = forms.ChoiceField(choices=[(key, key) for key in definitions.DEFINITIONS])
    of = forms.RegexField(KEY, required=False)
    state = forms.ChoiceField(
        choices=[(word, word) for word in (*Outcome.values, AI)], required=False
    )
    hit = forms.ChoiceField(choices=[("yes", "yes")], required=False)
    field = forms.CharField(max_length=40, required=False)
    reason = forms.RegexField(KEY, required=False)
    was = forms.RegexField(KEY, required=False)
    became = forms.RegexField(KEY, required=False)
    cell = forms.SlugField(max_length=40, required=False)
    version = forms.RegexField(r"^[0-9]{1,9}$", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        metric, field = cleaned.get("metric"), cleaned.get("field", "")
        # Reasons are counted by the field's key, everything else by its number.
        needs_number = field != "" and metric != definitions.OVERRIDE_REASONS.key
        needs_number = needs_number or metric == definitions.STEP_INS.key
        if needs_number and not re.fullmatch(r"[0-9]{1,18}", field):
            self.add_error("field", _("The key of a field is a number."))
        if cleaned.get("hit") and metric not in (
            definitions.ESCALATED.key,
            definitions.REOPENED.key,
        ):
            self.add_error("hit", _("Only escalated and reopened tickets can be asked for."))
        if cleaned.get("cell") and metric and cleaned["cell"] not in ENTRIES[metric].cells:
            self.add_error("cell", _("This metric has no such cell."))
        if metric and ENTRIES[metric].stories is not None:
            for name in OF_PROPOSALS:
                if cleaned.get(name):
                    self.add_error(name, _("This metric counts tickets, not proposals."))
        if cleaned.get("version") and metric and not _version(metric, cleaned["version"]):
            self.add_error("version", _("This metric never had such a version in force."))
        return cleaned

    def bucket(self) -> Bucket:
        return Bucket(**self.cleaned_data)


def _version(metric: str, number: str) -> Definition | None:
    found = (window.definition for window in versions.recent_history(metric))
    return next((one for one in found if str(one.version) == number), None)


def _as_counted(scope: Scope, bucket: Bucket) -> Scope:
    """With the version of the definition by which the bucket counts."""
    version = _version(bucket.metric, bucket.version) if bucket.version else None
    return scope.under(version) if version else scope


def rows(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """Exactly the proposals that the figure of this bucket counts, the newest first.

    A ticket appears once a proposal: decided twice, it was counted twice.
    """
    scope = _as_counted(scope, bucket)
    listed = ENTRIES[bucket.metric].rows
    if listed is not None:
        return listed(scope, bucket).order_by("-created_at", "-pk")
    found = COHORTS[bucket.metric](scope)
    if bucket.state == AI:
        found = found.filter(Q(outcome__in=BY_AI))
    elif bucket.state:
        found = found.filter(Q(outcome=bucket.state))
    elif bucket.metric == definitions.UNTOUCHED.key:
        found = found.filter(~Q(outcome=Outcome.SUPERSEDED))
    if bucket.hit:
        found = found.filter(Q(hit=True))
    if bucket.of:
        found = found.filter(in_group(scope.group, bucket.of))
    if bucket.metric == definitions.OVERRIDE_REASONS.key:
        found = found.filter(decision__in=_with_reason(scope, bucket))
    if bucket.metric == definitions.STEP_INS.key:
        found = found.filter(decision__in=_with_step(scope, bucket))
    return found.order_by("-created_at", "-pk")


def _with_reason(scope: Scope, bucket: Bucket) -> QuerySet[Any, Any]:
    values = cohorts.overridden_values(scope)
    if bucket.field:
        values = values.filter(field__key=bucket.field)
    if bucket.reason:
        values = values.filter(_is("reason", bucket.reason))
    return values.values("decision")


def _with_step(scope: Scope, bucket: Bucket) -> QuerySet[Any, Any]:
    values = cohorts.decided_values(scope).filter(field=int(bucket.field))
    if bucket.was:
        values = values.filter(_is("proposed", bucket.was))
    if bucket.became:
        values = values.filter(_is("final", bucket.became))
    return values.values("decision")


def _is(column: str, key: str) -> Q:
    return Q((f"{column}__isnull", True)) if key == NONE else Q((column, int(key)))


# The list has a column for the source.
CATEGORY = COLUMNS[Group.CATEGORY]._replace(source="")
FILED = STORY_COLUMNS[Group.CATEGORY]._replace(source="")
LISTED = (
    "ticket_id",
    "ticket__subject",
    "ticket__erased_at",
    "ticket__external_id",
    "ticket__source__name",
    "ticket_version__version",
    "created_at",
    "outcome",
)


@dataclass(frozen=True)
class Listed:
    """One proposal in the list, or one ticket, with the moment of its opening."""

    ticket: int
    external_id: str
    subject: str
    source: str
    version: int
    created_at: datetime
    category: str
    outcome: str


def are_tickets(bucket: Bucket) -> bool:
    """Whether the metric counts tickets, not proposals."""
    return ENTRIES[bucket.metric].stories is not None


def listed(scope: Scope, bucket: Bucket) -> QuerySet[Any, dict[str, Any]]:
    """What the figure of this bucket counts, with only the columns that `lines` shows."""
    stories = ENTRIES[bucket.metric].stories
    found: QuerySet[Any, dict[str, Any]]
    if stories is None:
        found = rows(scope, bucket).values(*LISTED, *CATEGORY.all)
    else:
        told = stories(_as_counted(scope, bucket), bucket)
        told = told.order_by("-ticket__opened_at", "-ticket")
        found = told.values(*story_drill.LISTED, *FILED.all)
    return found


def lines(found: Sequence[Mapping[str, Any]]) -> list[Listed]:
    """Of rows of one list."""
    if found and "path" in found[0]:
        return [
            Listed(
                **story_drill.listed(row),
                subject=_("(erased)") if row["ticket__erased_at"] else row["ticket__subject"],
                category=category.name,
            )
            for row, category in zip(found, name_groups(found, FILED), strict=True)
        ]
    return [
        Listed(
            ticket=row["ticket_id"],
            external_id=row["ticket__external_id"],
            subject=_("(erased)") if row["ticket__erased_at"] else row["ticket__subject"],
            source=row["ticket__source__name"],
            version=row["ticket_version__version"],
            created_at=row["created_at"],
            category=category.name,
            outcome=str(Outcome(row["outcome"]).label),
        )
        for row, category in zip(found, name_groups(found, CATEGORY), strict=True)
    ]


def words(scope: Scope, bucket: Bucket) -> list[str]:
    """The bucket said in words: the group, the state, the values."""
    said = []
    if bucket.of:
        said += _group(scope, bucket)
    if bucket.field:
        by_key = bucket.metric == definitions.OVERRIDE_REASONS.key
        column = "key" if by_key else "pk"
        said += Field.objects.filter((column, bucket.field)).values_list("name", flat=True)[:1]
    if bucket.reason:
        said += Reason.objects.filter(_is("pk", bucket.reason)).values_list("label", flat=True)
    if bucket.was:
        said.append(_("proposed: %(value)s") % {"value": _choice(bucket.was, _("left open"))})
    if bucket.became:
        said.append(_("became: %(value)s") % {"value": _choice(bucket.became, _("taken away"))})
    if bucket.state == AI:
        said.append(_("AI's value (auto-applied or accepted)"))
    elif bucket.state:
        said.append(str(Outcome(bucket.state).label))
    if bucket.cell:
        said.append(str(ENTRIES[bucket.metric].cells[bucket.cell]))
    if bucket.version:
        said.append(_("by version %(version)s") % {"version": bucket.version})
    if bucket.hit:
        is_reopened = bucket.metric == definitions.REOPENED.key
        said.append(_("reopened") if is_reopened else _("escalated later"))
    return said


def _group(scope: Scope, bucket: Bucket) -> list[str]:
    found: QuerySet[Any, Any]
    columns: Columns
    if are_tickets(bucket):
        columns = STORY_COLUMNS[scope.group]
        found = opened(scope).filter(in_counted_group(scope.group, bucket.of))
    else:
        columns = COLUMNS[scope.group]
        found = cohorts.proposals(scope).filter(in_group(scope.group, bucket.of))
    return [group.name for group in name_groups(found.values(*columns.all)[:1], columns)]


def _choice(key: str, none: str) -> str:
    if key == NONE:
        return none
    name = Choice.objects.filter(pk=int(key)).values_list("name", flat=True).first()
    return name or key
