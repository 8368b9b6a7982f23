"""The rows that metrics are about. Counts add them up, drill-downs list them: the same rows.

Left out everywhere: shadow proposals, which nobody could see. Left out unless asked for:
superseded proposals, which a newer one replaced before a decision.
"""

from datetime import timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from review.metrics.window import Scope
from review.models import BlindValue, DecidedValue, Truth
from triage.models import Proposal, TicketEvent
from triage.policy.settling import BY_MODEL


class Outcome(TextChoices):
    """What became of a proposal; each has exactly one."""

    AUTO = "auto", _("auto-applied")
    ACCEPTED = "accepted", _("accepted")
    OVERRIDDEN = "overridden", _("overridden")
    ESCALATED = "escalated", _("escalated")
    SENT_BACK = "sent_back", _("sent back")
    UNTOUCHED = "untouched", _("untouched")
    SUPERSEDED = "superseded", _("superseded")


COUNTED = tuple(outcome for outcome in Outcome if outcome != Outcome.SUPERSEDED)
# The service's own value stood in the end; of settled ones, a person's did in the rest.
BY_AI = (Outcome.AUTO, Outcome.ACCEPTED)
SETTLED = (*BY_AI, Outcome.OVERRIDDEN)


# Applied without a person and drawn for a check: the decision on it is not what settled it.
CHECKED = Q(route=Proposal.Route.AUTO, spot_check__isnull=False)

# The main value came from a model, and is one that could be accepted.
IS_BY_MODEL = Q(main__basis__in=BY_MODEL, main__choice__isnull=False)


def shown(scope: Scope, prefix: str = "") -> Q:
    """Proposals of the window that somebody could see; `prefix` leads from the row to them."""
    condition = Q(
        (f"{prefix}created_at__gte", scope.start), (f"{prefix}created_at__lt", scope.end)
    ) & ~Q((f"{prefix}route", Proposal.Route.SHADOW))
    if scope.source:
        condition &= Q((f"{prefix}ticket__source", scope.source))
    return condition


def proposals(scope: Scope) -> QuerySet[Proposal]:
    """Proposals shown in the window, as `with_outcome` has them."""
    return with_outcome(Proposal.objects.filter(shown(scope)), scope)


def with_outcome(rows: QuerySet[Proposal], scope: Scope) -> QuerySet[Proposal]:
    """With `outcome`, and `main` as alias of their main value.

    What was auto-applied and then drawn for a check stays auto-applied, whatever the check says.
    Else a person's decision goes before everything; an auto-applied proposal stays so when a newer
    one follows. It takes a newer proposal to supersede one, not merely a newer version:
    the update with which a helpdesk closes a ticket brings none, and nobody had looked.
    """
    # An empty list would empty the whole query, not only the join.
    main_fields = scope.main_fields or (0,)
    newer = Proposal.objects.filter(
        ticket=OuterRef("ticket"), ticket_version__version__gt=OuterRef("ticket_version__version")
    ).exclude(route=Proposal.Route.SHADOW)
    return rows.alias(
        main=FilteredRelation("values", condition=Q(values__field__in=main_fields))
    ).annotate(
        outcome=Case(
            When(CHECKED, then=Value(Outcome.AUTO)),
            When(decision__isnull=False, then=F("decision__verdict")),
            When(route=Proposal.Route.AUTO, then=Value(Outcome.AUTO)),
            When(Exists(newer), then=Value(Outcome.SUPERSEDED)),
            default=Value(Outcome.UNTOUCHED),
            output_field=CharField(),
        )
    )


def standing(scope: Scope) -> QuerySet[Proposal]:
    return proposals(scope).filter(~Q(outcome=Outcome.SUPERSEDED))


def answered(scope: Scope) -> QuerySet[Proposal]:
    """Accepted or overridden ones. A main value that was left open offered nothing to accept."""
    return decided(scope).filter(
        Q(main__choice__isnull=False) | Q(main__isnull=True),
        decision__verdict__in=[Outcome.ACCEPTED, Outcome.OVERRIDDEN],
    )


def by_model(scope: Scope) -> QuerySet[Proposal]:
    """Standing proposals whose main value came from a model, with the alias `hit`: escalated."""
    return with_escalations(standing(scope).filter(IS_BY_MODEL))


def with_escalations(rows: QuerySet[Proposal]) -> QuerySet[Proposal]:
    """With the alias `hit`: the ticket was escalated after the proposal was made."""
    later = TicketEvent.objects.filter(
        ticket=OuterRef("ticket"),
        kind=TicketEvent.Kind.ESCALATED,
        happened_at__gt=OuterRef("created_at"),
    )
    escalated = Q(decision__verdict=Outcome.ESCALATED) | Q(Exists(later))
    return rows.alias(hit=ExpressionWrapper(escalated, output_field=BooleanField()))


def settled(scope: Scope) -> QuerySet[Proposal]:
    """Those where a value stands in the end, with `settled_at`, the moment of that."""
    return (
        proposals(scope)
        .alias(
            settled_at=Case(
                When(CHECKED, then=F("created_at")),
                default=Coalesce("decision__decided_at", "created_at"),
            )
        )
        .filter(
            Q(decision__verdict__in=SETTLED)
            | Q(decision__isnull=True, route=Proposal.Route.AUTO)
            | CHECKED
        )
    )


def matured(scope: Scope) -> QuerySet[Proposal]:
    """Settled proposals whose outcome window has passed, with the alias `hit`: reopened in it.

    The window has passed once the day on which it ends is over.
    """
    window = timedelta(days=scope.outcome_days)
    reopened = TicketEvent.objects.filter(
        ticket=OuterRef("ticket"),
        kind=TicketEvent.Kind.REOPENED,
        happened_at__gt=OuterRef("settled_at"),
        happened_at__lte=OuterRef("settled_at") + window,
    )
    return settled(scope).filter(Q(settled_at__lt=scope.matured_before)).alias(hit=Exists(reopened))


def predicted(scope: Scope) -> QuerySet[Proposal]:
    """Standing proposals on whose main value a model had an opinion, proposed or not."""
    return standing(scope).filter(Q(main__prediction__isnull=False))


def decided(scope: Scope) -> QuerySet[Proposal]:
    return proposals(scope).filter(~CHECKED, decision__isnull=False)


def checked(scope: Scope) -> QuerySet[Proposal]:
    """Checked proposals with a value to check, whose truth is known, with columns of CheckCount.

    Other aliases: `truth` and `decided`, of the main value, and `first`, what the person who then
    decided had answered blind.
    """
    main_fields = scope.main_fields or (0,)
    first = BlindValue.objects.filter(
        answer__check_of=OuterRef("spot_check"),
        answer__reviewer=OuterRef("decision__reviewer"),
        field__in=main_fields,
    ).values("choice")[:1]
    return (
        proposals(scope)
        .alias(
            truth=FilteredRelation(
                "spot_check__truths", condition=Q(spot_check__truths__field__in=main_fields)
            ),
            decided=FilteredRelation(
                "decision__values", condition=Q(decision__values__field__in=main_fields)
            ),
            first=Subquery(first),
        )
        .filter(truth__isnull=False, main__choice__isnull=False)
        .annotate(
            is_right=same("main__choice", "truth__choice"),
            kept=same("decided__final", "main__choice", needs="decided"),
            final_right=same("decided__final", "truth__choice", needs="decided"),
            first_right=same("first", "truth__choice", needs="first"),
            first_agreed=same("first", "main__choice", needs="first"),
            is_twice=_is(~Q(truth__origin=Truth.Origin.SINGLE)),
        )
    )


def same(one: str, other: str, *, needs: str = "") -> Case:
    """Whether two columns are equal; NULL where `needs` is."""
    missing = [When(Q((f"{needs}__isnull", True)), then=Value(None))] if needs else []
    return Case(
        *missing,
        When(Q((one, F(other))), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(null=True),
    )


def _is(condition: Q) -> Any:
    return ExpressionWrapper(condition, output_field=BooleanField())


def decided_values(scope: Scope) -> QuerySet[DecidedValue]:
    rows = DecidedValue.objects.filter(shown(scope, "decision__stands_for__")).order_by()
    return rows.exclude(
        decision__stands_for__route=Proposal.Route.AUTO,
        decision__stands_for__spot_check__isnull=False,
    )


def overridden_values(scope: Scope) -> QuerySet[DecidedValue]:
    """Proposed values that a person replaced or took away, each with its reason."""
    return (
        decided_values(scope)
        .filter(proposed__isnull=False, reason__isnull=False)
        .exclude(proposed=F("final"))
    )
