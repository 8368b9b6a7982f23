"""Who was right: checked decisions by AI right or wrong, and kept or changed, as four corners."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from review.metrics import wording
from review.metrics.figures import Bucket
from review.metrics.meaning import Text
from review.metrics.report import Report


@dataclass(frozen=True)
class Corner:
    """`share` is of all checked decisions; `is_good` of the two corners one would want."""

    name: Text
    share: str
    n: str
    is_good: bool
    bucket: Bucket


@dataclass(frozen=True)
class Corners:
    """Rows are AI right and AI wrong, each kept and changed; `withheld` says why there are none."""

    n: int
    rows: list[tuple[Text, list[Corner]]]
    withheld: str = ""


def corners(under: Report, over: Report) -> Corners:
    """Of the totals of the two reports; both are of the same decisions."""
    right, wrong = under.totals[0].figures["rate"], over.totals[0].figures["rate"]
    if right.is_withheld or wrong.is_withheld:
        return Corners(0, [], right.text if right.is_withheld else wrong.text)
    n = right.n + wrong.n
    if not n:
        return Corners(0, [])
    changed, waved = right.k or 0, wrong.k or 0
    key_right, key_wrong = under.definition.key, over.definition.key
    return Corners(
        n,
        [
            (
                _("AI right"),
                [
                    _corner(_("accepted"), right.n - changed, n, key_right, "right-kept", True),
                    _corner(_("needless change"), changed, n, key_right, "right-changed", False),
                ],
            ),
            (
                _("AI wrong"),
                [
                    _corner(_("waved through"), waved, n, key_wrong, "wrong-kept", False),
                    _corner(_("caught"), wrong.n - waved, n, key_wrong, "wrong-changed", True),
                ],
            ),
        ],
    )


def _corner(name: Text, k: int, n: int, key: str, cell: str, is_good: bool) -> Corner:
    share = wording.percent(k / n)
    return Corner(name, share, wording.whole(k), is_good, Bucket(key, cell=cell))
