"""The checks and double checks that figures of the truth are about; see cohorts.py."""

from django.db.models import (
    Case,
    CharField,
    Exists,
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
from django.utils.translation import gettext_lazy as _

from review.looks.verdicts import Verdict
from review.metrics import cohorts
from review.metrics.window import Scope
from review.models import BlindAnswer, BlindValue, Truth
from triage.models import Proposal


class State(TextChoices):
    """How far a drawn check is; each is in exactly one state."""

    NOBODY = "nobody", _("nobody answered")
    ALONE = "alone", _("answered by one")
    SECOND = "second", _("waits for a second person")
    TWICE = "twice", _("answered by two")
    THIRD = "third", _("waits for a third person")
    THRICE = "thrice", _("answered by three")


def drawn(scope: Scope) -> QuerySet[Proposal]:
    """Proposals that came before a person as a check, or wait to, with `state`."""
    return _with_state(
        cohorts.proposals(scope).filter(
            Q(spot_check__isnull=False) | Q(waiting__blind_at__isnull=False)
        )
    )


def opened(scope: Scope) -> QuerySet[Proposal]:
    """Those that came before a person."""
    return _with_state(cohorts.proposals(scope).filter(Q(spot_check__isnull=False)))


def unopened(scope: Scope) -> QuerySet[Proposal]:
    """Those that wait and that nobody has opened: as many as the queue has, never more."""
    return cohorts.proposals(scope).filter(
        Q(spot_check__isnull=True, waiting__blind_at__isnull=False)
    )


def _with_state(rows: QuerySet[Proposal]) -> QuerySet[Proposal]:
    def has(nth: int) -> Exists:
        return Exists(BlindAnswer.objects.filter(check_of__proposal=OuterRef("pk"), nth=nth))

    return rows.annotate(
        state=Case(
            When(has(3), then=Value(State.THRICE)),
            When(spot_check__second_look__nth=3, then=Value(State.THIRD)),
            When(has(2), then=Value(State.TWICE)),
            When(spot_check__second_look__nth=2, then=Value(State.SECOND)),
            When(has(1), then=Value(State.ALONE)),
            default=Value(State.NOBODY),
            output_field=CharField(),
        )
    )


def double_checks(scope: Scope) -> QuerySet[BlindValue]:
    """First answers to fields that a second person answered, too, with `second` and `verdict`.

    As review/looks/verdicts.py says it. `main` is the alias of the proposal's main value.
    """
    check = "answer__check_of"
    same = {check: OuterRef(check), "field": OuterRef("field")}
    second = BlindValue.objects.filter(**same, answer__nth=2)
    third = BlindValue.objects.filter(**same, answer__nth=3)
    settled = Truth.objects.filter(check_of=OuterRef(check), field=OuterRef("field"))
    values = f"{check}__proposal__values"
    main = FilteredRelation(
        values, condition=Q((f"{values}__field__in", scope.main_fields or (0,)))
    )
    unclear = Value(Verdict.UNCLEAR.value)
    return (
        BlindValue.objects.filter(
            cohorts.shown(scope, f"{check}__proposal__"), Exists(second), answer__nth=1
        )
        .alias(main=main)
        .annotate(second=Subquery(second.values("choice")[:1]))
        .annotate(
            verdict=Case(
                When(choice=F("second"), then=Value(Verdict.AGREED.value)),
                When(choice__isnull=True, second__isnull=True, then=unclear),
                When(Exists(settled), then=Value(Verdict.ADJUDICATED.value)),
                When(Exists(third), then=unclear),
                default=Value(Verdict.DISPUTED.value),
                output_field=CharField(),
            )
        )
        .order_by()
    )
