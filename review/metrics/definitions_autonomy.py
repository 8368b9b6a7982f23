"""What is measured of acting alone: how much, how sure, and how much error is left."""

from django.utils.translation import gettext_lazy as _

from review.metrics.meaning import Definition, Unit

AUTO_SHARE = Definition(
    key="auto-share",
    number=15,
    version=1,
    name=_("Applied without a person"),
    formula=_("auto-applied proposals ÷ all proposals whose main value came from a model"),
    caveat=_("Coverage alone says nothing: read it beside the error without a person."),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows how much of the work the service does alone."),
)
CALIBRATION = Definition(
    key="calibration",
    number=16,
    version=1,
    name=_("Is it as sure as it is right?"),
    formula=_(
        "Brier score: mean of (stated probability − right)²; calibration error: mean distance of "
        "stated probability and share right over ten bins of equal mass; of checked proposals"
    ),
    caveat=_("With few checks the calibration error is too high by chance. Of the newest 2,000."),
    unit=Unit.NUMBER,
    min_n=100,
    purpose=_("Thresholds mean what they say only while probabilities do."),
)
BUDGET_BURN = Definition(
    key="budget-burn",
    number=20,
    version=1,
    name=_("Error budget"),
    formula=_(
        "(wrong ÷ checked, weighted) ÷ the error that the certificate allows; over the window and "
        "over its last seven days"
    ),
    caveat=_("Above 1 the budget is overspent. Promotion waits; the stop test works by itself."),
    unit=Unit.NUMBER,
    min_n=20,
    purpose=_("Says before the stop test does how much error is left to each choice."),
)
RISK_COVERAGE = Definition(
    key="risk-coverage",
    number=15,
    version=1,
    name=_("Error by how much is applied"),
    formula=_(
        "checked proposals of at least a stated probability ÷ all checked, and wrong ones among "
        "them, each weighted with one by the probability at which it was drawn"
    ),
    caveat=_(
        "A cut that is chosen here for its low error looks better than it is; a certificate allows "
        "for that. Of the newest 2,000 checks, all groups together."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows what it would cost in errors to let the service do more alone."),
)
UNFITTING = Definition(
    key="out-of-scope-acted-on",
    number=19,
    version=1,
    name=_("Acted on although no choice fits"),
    formula=_(
        "proposals applied without a person ÷ all of whose main field two people, answering blind, "
        "could tell no choice; each weighted with one by the probabilities at which it was drawn"
    ),
    caveat=_(
        "That two people can tell no choice stands for out of scope, so that a vague ticket counts "
        "as well. What one person alone could not tell is not in it."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether the service leaves alone what it has never learnt."),
)
OF_AUTONOMY = (AUTO_SHARE, RISK_COVERAGE, UNFITTING, BUDGET_BURN, CALIBRATION)
