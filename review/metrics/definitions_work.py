"""What is measured of the work itself, of teams only: how much, how fast, and how people are."""

from django.utils.translation import gettext_lazy as _

from review.metrics.meaning import Definition, Parameter, Unit

REVIEW_LOAD = Definition(
    key="review-load",
    number=24,
    version=1,
    name=_("Review load and fast accepts"),
    formula=_(
        "reviews that followed another of the same person within five minutes ÷ hours from review "
        "to review; accepts that took less than the agreed seconds ÷ accepts among them"
    ),
    caveat=_(
        "Fast is not careless: some tickets are plain at a glance. What counts as fast is agreed "
        "on by the team. Never a reason to look at a person, and never disciplinary."
    ),
    unit=Unit.NUMBER,
    min_n=20,
    purpose=_("Shows when there is more to review than anybody can review with care."),
    is_about_people=True,
    parameters={
        "fast_seconds": Parameter(
            label=_("Fast is below"), unit=_("seconds"), least=1, most=30, default=5
        )
    },
)
META_WORK = Definition(
    key="meta-work",
    number=25,
    version=1,
    name=_("Meta-work"),
    formula=_(
        "time from review to review that ended in accepting, escalating or sending back ÷ all time "
        "from review to review and all time that helpdesks tell as work"
    ),
    caveat=_(
        "Saying yes and handing on is work that solves nothing by itself. Where helpdesks do not "
        "tell when work begins, all time is that of reviews, and the share is too high."
    ),
    unit=Unit.SHARE,
    min_n=30,
    purpose=_("Shows how much time goes into tending the service instead of solving tickets."),
    is_about_people=True,
)
INTERRUPTIONS = Definition(
    key="interruptions",
    number=25,
    version=1,
    name=_("Interruptions"),
    formula=_("tickets that were passed over undecided for another ÷ hours from review to review"),
    caveat=_(
        "Counts what was skipped with a reason. Who is called away, or looks into several tickets "
        "at once, is not in it."
    ),
    unit=Unit.NUMBER,
    min_n=20,
    purpose=_("Shows how often people have to begin anew before they have finished."),
    is_about_people=True,
)
PULSE = Definition(
    key="pulse",
    number=27,
    version=1,
    name=_("How people are"),
    formula=_("answers of the third step or worse, of five ÷ all answers of a round of four weeks"),
    caveat=_(
        "One question, answered by those who want to, without a name. Who is away, or worn out, "
        "may not answer at all."
    ),
    unit=Unit.SHARE,
    min_n=5,
    purpose=_("Shows in time when the work wears people out."),
)
LEGITIMACY = Definition(
    key="legitimacy",
    number=27,
    version=1,
    name=_("Who agreed to what is measured"),
    formula=_("definitions in force that a vote ratified ÷ all definitions in force"),
    caveat=_(
        "A vote ratifies with enough people taking part. The service's own definitions count as "
        "not ratified until the team has voted on them."
    ),
    unit=Unit.SHARE,
    min_n=1,
    purpose=_("Shows how much of what is measured those who are measured have agreed to."),
)
OF_WORK = (REVIEW_LOAD, META_WORK, INTERRUPTIONS, PULSE, LEGITIMACY)
