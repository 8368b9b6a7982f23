"""What the figures of drills mean."""

from django.utils.translation import gettext_lazy as _

from review.metrics.meaning import Definition, Unit

DRILL_HITS = Definition(
    key="drill-hits",
    number=13,
    version=1,
    name=_("Drill hits"),
    formula=_(
        "overridden ÷ answered drills with known-wrong advice; "
        "accepted ÷ answered drills with known-right advice; "
        "interval of Beta(k + ½, n − k + ½)"
    ),
    caveat=_(
        "People know that there are drills, and past tickets are not quite like live ones. "
        "Wrong advice comes far more often in drills than at work. "
        "What was passed on without a word on the value is not counted."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_(
        "Shows whether the team together catches wrong advice without turning down right advice. "
        "Never about one person, and never a reason to measure one."
    ),
)
OF_DRILLS = (DRILL_HITS,)
