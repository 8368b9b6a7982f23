"""The coded reasons that a new installation starts with; owners edit them afterwards."""

from django.utils.translation import gettext_noop as _

from review.models import Reason

AppliesTo = Reason.AppliesTo
# Given with one keystroke where a choice below a proposed parent is picked.
MORE_PRECISE = "more-precise"

# Kept in English; shown in the reader's language as long as nobody has edited them.
# (applies to, digit, key, label, needs text)
DEFAULTS = (
    (AppliesTo.OVERRIDE, 1, "wrong-category", _("Wrong category"), False),
    (AppliesTo.OVERRIDE, 2, "wrong-team", _("Right category, wrong team"), False),
    (
        AppliesTo.OVERRIDE,
        3,
        "missing-context",
        _("Something is known that the text does not say"),
        False,
    ),
    (AppliesTo.OVERRIDE, 4, "policy-exception", _("Exception to the policy"), False),
    (AppliesTo.OVERRIDE, 5, "duplicate", _("Belongs to a ticket that is open already"), False),
    (AppliesTo.OVERRIDE, 6, "unclear", _("The ticket is unclear"), False),
    (AppliesTo.OVERRIDE, 7, "unsafe-action", _("The action would be unsafe"), False),
    (AppliesTo.OVERRIDE, 8, MORE_PRECISE, _("Right, but more can be said"), False),
    (AppliesTo.OVERRIDE, 9, "other", _("Something else"), True),
    (AppliesTo.ESCALATE, 1, "major-incident", _("Part of a major incident"), False),
    (AppliesTo.ESCALATE, 2, "specialist", _("Needs a specialist"), False),
    (AppliesTo.ESCALATE, 3, "sensitive", _("Sensitive person or matter"), False),
    (AppliesTo.ESCALATE, 9, "other", _("Something else"), True),
    (AppliesTo.SEND_BACK, 1, "more-information", _("More information needed"), False),
    (AppliesTo.SEND_BACK, 2, "not-it", _("Not a matter for IT"), False),
    (AppliesTo.SEND_BACK, 3, "duplicate", _("Duplicate"), False),
    (AppliesTo.SEND_BACK, 9, "other", _("Something else"), True),
    (AppliesTo.SKIP, 1, "not-my-field", _("Not my field"), False),
    (AppliesTo.SKIP, 2, "second-pair-of-eyes", _("A colleague should look"), False),
    (AppliesTo.SKIP, 3, "waiting-for-an-answer", _("I have asked somebody"), False),
    (AppliesTo.SKIP, 9, "other", _("Something else"), True),
)


def ensure_reasons() -> None:
    """Make the defaults where there is no reason at all; owners' edits are never touched."""
    if Reason.objects.exists():
        return
    Reason.objects.bulk_create(
        Reason(applies_to=applies_to, digit=digit, key=key, label=label, needs_text=needs_text)
        for applies_to, digit, key, label, needs_text in DEFAULTS
    )
