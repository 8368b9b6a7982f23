"""What there is to say about the checks themselves: can what they found be trusted?"""

from django.utils.translation import gettext_lazy as _

from review.metrics.meaning import Definition, Unit

TRUTH_RELIABILITY = Definition(
    key="truth-reliability",
    number=14,
    version=1,
    name=_("Agreement of two who answer blind"),
    formula=_(
        "Cohen’s kappa of the first two blind answers to a field, “could not tell” being an answer "
        "of its own; unclear ÷ settled: no choice was named twice, also not by a third person"
    ),
    caveat=_(
        "Low agreement says that the catalogue is unclear, not that people are wrong: mend the "
        "choices before you judge a model by them. By group, choices are few and kappa falls."
    ),
    unit=Unit.KAPPA,
    # Fewer carry no interval.
    min_n=100,
    purpose=_(
        "Shows how far the truth of the checks can be trusted: every figure of error rests on it."
    ),
)
CHECKS_ANSWERED = Definition(
    key="checks-answered",
    number=None,
    version=1,
    name=_("What became of drawn checks"),
    formula=_("drawn checks with a blind answer ÷ drawn checks"),
    caveat=_(
        "That nobody looked is a state of its own and never an agreement. Tickets that were drawn "
        "and closed before anybody opened them leave no check and are not in it."
    ),
    unit=Unit.SHARE,
    min_n=10,
    purpose=_("Shows whether the checks that were drawn are answered, and what they wait for."),
)

OF_TRUTH = (TRUTH_RELIABILITY, CHECKS_ANSWERED)
