"""How people are, round by round, and how much of what is measured they agreed to."""

from collections import Counter
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review.metrics import charts, cohorts, definitions_work, wording
from review.metrics.co_creation import legitimacy
from review.metrics.figures import Bucket, Column, Figure, Kind, Row, count, rate, withheld
from review.metrics.meaning import Definition
from review.metrics.report import ALL, Note, Report
from review.metrics.window import Scope
from review.models import PulseCount
from review.pulse import ROUND, WORN_FROM
from triage.models import Proposal

DAY = timedelta(days=1)
COLUMNS = (
    Column("n", gettext_lazy("answers")),
    Column("worn", gettext_lazy("third step or worse")),
    Column("rate", gettext_lazy("share")),
)


def pulse(scope: Scope) -> Report:
    """Of everybody: rounds of the window that are over, and of which enough people answered."""
    definition = scope.definition(definitions_work.PULSE.key)
    rounds: dict[date, Counter[int]] = {}
    rows = PulseCount.objects.filter(
        begins_on__gt=scope.first - ROUND,
        begins_on__lte=min(scope.last, timezone.localdate() - ROUND),
    )
    for begins, step, n in rows.order_by("begins_on").values_list("begins_on", "answer", "n"):
        rounds.setdefault(begins, Counter())[step] += n
    told = {begins: steps for begins, steps in rounds.items() if _is_enough(steps, definition)}
    everything: Counter[int] = sum(told.values(), Counter())
    return Report(
        definition,
        scope,
        labels=(_("Round"),),
        columns=COLUMNS,
        rows=tuple(
            Row((_named(begins),), _figures(definition, steps), str(begins))
            for begins, steps in reversed(rounds.items())
        ),
        totals=(Row((str(ALL),), _figures(definition, everything)),) if told else (),
        size=everything.total(),
        notes=(Note(_("Of all sources: nobody is asked where they work.")),),
        is_gated=True,
    )


def pulse_chart(report: Report) -> charts.Chart | None:
    """From round to round; None below two."""
    rows = [row for row in reversed(report.rows) if row.figures["rate"].value is not None]
    points = [
        charts.OnLine(float(at), row.labels[0], row.labels[0], row.figures["rate"])
        for at, row in enumerate(rows)
    ]
    return charts.curve(points, _("third step or worse"), "warn") if len(points) > 1 else None


def ratified(scope: Scope) -> Report:
    """As of now, whatever the window is."""
    definition = scope.definition(definitions_work.LEGITIMACY.key)
    found = legitimacy()
    age = found.age(timezone.now())
    figures = {
        "n": count(found.active, None),
        "ratified": count(found.ratified, None),
        "rate": rate(found.ratified, found.active, definition, None),
    }
    said = (
        _("No vote has been closed yet.")
        if age is None
        else _("The last vote was closed %(ago)s ago.")
        % {"ago": wording.duration(age.total_seconds())}
    )
    columns = (
        Column("n", _("definitions in force")),
        Column("ratified", _("ratified")),
        Column("rate", _("share")),
    )
    total = Row((str(ALL),), figures)
    return Report(
        definition, scope, (_("Definitions"),), columns, (), (total,), found.active, (Note(said),)
    )


def no_tickets(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """No ticket stands behind what people said of themselves."""
    return cohorts.proposals(scope).none()


def _is_enough(steps: Counter[int], definition: Definition) -> bool:
    return steps.total() >= definition.min_people


def _figures(definition: Definition, steps: Counter[int]) -> dict[str, Figure]:
    n = steps.total()
    worn = sum(times for step, times in steps.items() if step >= WORN_FROM)
    figures = {
        "n": count(n, None),
        "worn": count(worn, None),
        "rate": rate(worn, n, definition, None),
    }
    if _is_enough(steps, definition):
        return figures
    hidden = withheld(Figure(Kind.COUNT, None, 0), definition.min_people)
    return dict.fromkeys(figures, hidden)


def _named(begins: date) -> str:
    last = begins + ROUND - DAY
    return f"{date_format(begins, 'j M')} {wording.EN_DASH} {date_format(last, 'j M Y')}"
