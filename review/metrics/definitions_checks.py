"""What is measured where the truth is known: by people who answered without seeing the advice."""

from django.utils.translation import gettext_lazy as _

from review.metrics.meaning import Definition, Unit

AI_ERROR = Definition(
    key="ai-error",
    number=3,
    version=1,
    name=_("AI error"),
    formula=_(
        "checked proposals whose main value was wrong ÷ all checked, each weighted with one by the "
        "probability at which it was drawn"
    ),
    caveat=_(
        "Only what was checked blind counts. Where one person alone answered, the truth is that "
        "person's answer. Proposals that were left open are not in it."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("The headline of the AI: how often it is wrong, whatever people made of it."),
)
AUTO_ERROR = Definition(
    key="auto-action-error",
    number=4,
    version=1,
    name=_("Error without a person"),
    formula=_(
        "wrong main values ÷ checked ones, of proposals that were applied without a person; "
        "weighted as AI error is"
    ),
    caveat=_("The headline of autonomy. Read it beside how much is applied without a person."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Says whether autonomy was earned: what it does wrong reaches requesters at once."),
)
OVER_RELIANCE = Definition(
    key="over-reliance",
    number=5,
    version=1,
    name=_("Waved through"),
    formula=_(
        "wrong main values that a person kept ÷ wrong main values that a person decided on; two "
        "people at least stand behind the truth"
    ),
    caveat=_("In published studies people kept 52 to 66 % of wrong advice. Of teams only."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows where acceptance hides errors, so that doubt is made easier there."),
    is_about_people=True,
)
UNDER_RELIANCE = Definition(
    key="under-reliance",
    number=6,
    version=1,
    name=_("Changed although right"),
    formula=_(
        "right main values that a person replaced ÷ right main values that a person decided on; "
        "two people at least stand behind the truth"
    ),
    caveat=_("Often justified: a person may know what the ticket does not say."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows where good advice is not believed, and work is done twice."),
    is_about_people=True,
)
NET_BENEFIT = Definition(
    key="override-net-benefit",
    number=7,
    version=1,
    name=_("Which overrides were right"),
    formula=_(
        "share of overrides that mended a wrong value minus share that spoilt a right one, "
        "by the reason that was given"
    ),
    caveat=_(
        "Below zero overrides do harm. From a wrong to another wrong value counts for neither. "
        "The interval is too narrow below some 100 overrides."
    ),
    unit=Unit.POINTS,
    min_n=20,
    purpose=_("Tells reasons that name a real flaw of the AI from those that do not."),
    is_about_people=True,
)
RAIR = Definition(
    key="rair",
    number=8,
    version=1,
    name=_("Corrected by right advice"),
    formula=_(
        "right in the end ÷ answered wrong before right advice was shown (relative AI reliance)"
    ),
    caveat=_("In a published study 30 to 39 %. Of tickets that were answered first."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether advice helps where people err."),
    is_about_people=True,
)
RSR = Definition(
    key="rsr",
    number=9,
    version=1,
    name=_("Kept against wrong advice"),
    formula=_(
        "right in the end ÷ answered right before wrong advice was shown (relative self-reliance)"
    ),
    caveat=_("In a published study 69 to 72 %. Of tickets that were answered first."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether people stand by what they know."),
    is_about_people=True,
)
SWITCHING = Definition(
    key="switch-fraction",
    number=10,
    version=1,
    name=_("Advice taken"),
    formula=_(
        "took the advice ÷ answered something else before; harmful: the first answer had been right"
    ),
    caveat=_("Taking advice is good or bad only together with who was right."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows how much advice moves people, and how much of that does harm."),
    is_about_people=True,
)
DETECTION = Definition(
    key="sensitivity",
    number=11,
    version=1,
    name=_("Telling wrong from right"),
    formula=_(
        "d′ = z(H) − z(F) and c = −(z(H) + z(F)) ÷ 2, with H the share overridden of wrong values, "
        "F that of right ones, each (k + ½) ÷ (n + 1)"
    ),
    caveat=_(
        "d′ of 0: no better than chance. c above 0: the team would rather accept, "
        "below 0 rather change. Of teams only."
    ),
    unit=Unit.NUMBER,
    min_n=100,
    purpose=_("Separates how well errors are seen from how ready people are to change things."),
    is_about_people=True,
)
COMPLEMENTARITY = Definition(
    key="complementarity",
    number=12,
    version=1,
    name=_("Better together?"),
    formula=_(
        "share right of final answers minus that of the better of AI and blind human answer, "
        "on the same tickets"
    ),
    caveat=_("On average over published studies the pair is worse than the better one alone."),
    unit=Unit.POINTS,
    min_n=100,
    purpose=_("Asks whether the two together do what neither could do alone."),
    is_about_people=True,
)
UNAIDED = Definition(
    key="unaided-skill",
    number=26,
    version=1,
    name=_("Right without the advice"),
    formula=_(
        "blind first answers that were right ÷ blind first answers, each weighted with one by the "
        "probability at which it was drawn; two people at least stand behind the truth"
    ),
    caveat=_(
        "In a published study what people found without help fell from 28.4 to 22.4 % once they "
        "had worked with help. A change of the mix of tickets shows here, too. Of teams only."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether people keep what they know while the service proposes."),
    is_about_people=True,
)
OF_CHECKS = (
    AI_ERROR,
    AUTO_ERROR,
    OVER_RELIANCE,
    UNDER_RELIANCE,
    NET_BENEFIT,
    RAIR,
    RSR,
    SWITCHING,
    DETECTION,
    COMPLEMENTARITY,
    UNAIDED,
)
