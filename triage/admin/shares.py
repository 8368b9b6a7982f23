"""What a share of answer-first tickets costs and buys, in words, at the present number of them."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from triage.models import Proposal, Source
from triage.policy import draws

WEEKS = 4


def worth_in_words(source: Source) -> str:
    """For the owner of the source, by its proposals of the last four weeks."""
    weekly = _weekly(source)
    share = draws.probability(
        source.blind_share, draws.WAITING, least=settings.COUNTERSIGN_BLIND_LEAST
    )
    if share == 0:
        return "Off: nothing that people decide is answered first, so no certificate can be earned."
    if weekly < 1:
        return "No proposals in the last four weeks to reckon with."
    worth = draws.worth(weekly, share)
    bought = (
        f"an error of 10 % is known to within {worth.within * 100:.0f} points after a month"
        if worth.within is not None
        else "less than one check a month says nothing about an error"
    )
    return (
        f"{weekly:,.0f} proposals a week; {share:.0%} of them, some {worth.checks_a_month:,.0f} a "
        f"month, are answered first. It costs about {worth.hours_a_week:.1f} hours a week, "
        f"{draws.SECONDS_MORE} seconds each, and buys: {bought}. A certificate for an error of at "
        f"most 5 % takes 59 checks of one choice without an error."
    )


def second_worth_in_words(source: Source) -> str:
    """What second answers cost, at the present number of answers that come first."""
    least = settings.COUNTERSIGN_BLIND_LEAST
    first = draws.probability(source.blind_share, draws.WAITING, least=least)
    share = draws.probability(source.second_share, draws.WAITING, least=least)
    if share == 0:
        return "Off: nobody knows how far one person’s answer can be trusted."
    weekly = _weekly(source) * first
    if weekly * share * draws.WEEKS_A_MONTH < 1:
        return "Less than one second answer a month at the present number of checks."
    worth = draws.second_worth(weekly, share)
    bought = (
        f"an agreement of 85 % is known to within {worth.within * 100:.0f} points after a month"
        if worth.within is not None
        else "less than one a month says nothing about agreement"
    )
    return (
        f"{share:.0%} of the checks, some {worth.looks_a_month:,.0f} a month, are answered by a "
        f"second person. It costs about {worth.hours_a_week:.1f} hours a week, "
        f"{draws.SECONDS_A_LOOK} seconds each, and a third look at each that differs. It buys: "
        f"{bought}."
    )


def _weekly(source: Source) -> float:
    """Proposals a week that somebody could see, of the last four."""
    since = timezone.now() - timedelta(weeks=WEEKS)
    shown = Proposal.objects.filter(ticket__source=source, created_at__gte=since)
    return shown.exclude(route=Proposal.Route.SHADOW).count() / WEEKS
