"""The picture from proposal to outcome: where its bands run, in units of the drawing.

Geometry only; the template draws it, and the stylesheet gives each kind its colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_lazy as _

from review.metrics import wording
from review.metrics.cohorts import COUNTED, SETTLED
from review.metrics.figures import Row

WIDTH = 680.0
BAND_HEIGHT = 210.0
SLOT = 36.0
GAP = 6.0
THINNEST = 1.5
START, MIDDLE, SECOND, END = 96.0, 300.0, 438.0, 560.0
BAR = 5.0
# What may become of a settled proposal, in the order of the drawing.
ENDS = {
    "stayed": _("not reopened"),
    "back": _("came back"),
    "early": _("too early to tell"),
}


@dataclass(frozen=True)
class Node:
    """A stage that bands lead to; its label stands at (text_x, text_y)."""

    key: str
    x: float
    y: float
    height: float
    text_x: float
    text_y: float
    n: int
    name: str
    detail: str


@dataclass(frozen=True)
class Band:
    key: str
    path: str


@dataclass(frozen=True)
class Flow:
    width: float
    height: float
    start: Node
    outcomes: list[Node]
    ends: list[Node]
    bands: list[Band]


@dataclass
class _Stage:
    """Lays out nodes downwards, each at least a SLOT high so that its label fits."""

    x: float
    scale: float
    cursor: float = 0.0
    nodes: dict[str, Node] = field(default_factory=dict)

    def add(self, key: str, n: int, name: str, detail: str) -> None:
        height = max(THINNEST, n * self.scale)
        slot = max(height, SLOT)
        y = self.cursor + (slot - height) / 2
        middle = self.cursor + slot / 2
        text_x = self.x + BAR + 7
        self.nodes[key] = Node(key, self.x, y, height, text_x, middle - 3, n, name, detail)
        self.cursor += slot + GAP


def flow(outcomes: Row, reopened: Row) -> Flow:
    """Of the total rows of the reports `untouched` and `reopened`. Needs at least one proposal.

    What stands settled goes on to one of three ends: stayed closed, came back, or too early to
    tell because the outcome window has not passed.
    """
    total = outcomes.figures["n"].n
    scale = BAND_HEIGHT / total
    middle = _Stage(MIDDLE, scale)
    for outcome in COUNTED:
        figure = outcomes.figures[outcome]
        if figure.n:
            share = wording.percent(figure.n / total)
            middle.add(outcome, figure.n, str(outcome.label), f"{figure.text} · {share}")
    fates = {str(outcome): _fate(outcomes, reopened, outcome) for outcome in SETTLED}
    last = _Stage(END, scale)
    for end, name in ENDS.items():
        n = sum(fate[end] for fate in fates.values())
        if n:
            last.add(end, n, str(name), wording.whole(n))
    height = max(middle.cursor, last.cursor) - GAP
    start = Node(
        key="all",
        x=START,
        y=(height - BAND_HEIGHT) / 2,
        height=BAND_HEIGHT,
        text_x=0,
        text_y=height / 2 - 3,
        n=total,
        name=wording.whole(total),
        detail=str(_("proposals")),
    )
    bands = _spread({"all": start}, middle.nodes, {"all": _sizes(middle.nodes)}, MIDDLE)
    settled = {o: replace(node, x=SECOND) for o, node in middle.nodes.items() if o in fates}
    bands += _spread(settled, last.nodes, fates, END)
    return Flow(WIDTH, height, start, [*middle.nodes.values()], [*last.nodes.values()], bands)


def _fate(outcomes: Row, reopened: Row, outcome: str) -> dict[str, int]:
    told = reopened.figures[outcome]
    back = told.k or 0
    # The two reports are two queries; a decision between them must not turn this negative.
    early = max(0, outcomes.figures[outcome].n - told.n)
    return {"stayed": told.n - back, "back": back, "early": early}


def _sizes(nodes: Mapping[str, Node]) -> dict[str, int]:
    return {key: node.n for key, node in nodes.items()}


def _spread(
    sources: Mapping[str, Node],
    targets: Mapping[str, Node],
    amounts: Mapping[str, Mapping[str, int]],
    x_end: float,
) -> list[Band]:
    """A band from each source to each target it feeds, stacked in order at both ends.

    A band bears the name of its outcome: its target's on the first stage, its source's later,
    but what came back is always shown as that.
    """
    left = {key: node.y for key, node in sources.items()}
    right = {key: node.y for key, node in targets.items()}
    bands = []
    for source_key, source in sources.items():
        for target_key, target in targets.items():
            amount = amounts[source_key].get(target_key, 0)
            if not amount:
                continue
            here, there = (node.height * amount / node.n for node in (source, target))
            kind = source_key if target_key in ENDS and target_key != "back" else target_key
            path = _ribbon(
                (source.x + BAR, left[source_key], here), (x_end, right[target_key], there)
            )
            bands.append(Band(kind, path))
            left[source_key] += here
            right[target_key] += there
    return bands


def _ribbon(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    """A closed path between two upright edges, each (x, y of its top, height)."""
    x, y, height = start
    x_end, y_end, height_end = end
    bend = (x + x_end) / 2
    return (
        f"M{x:.1f} {y:.1f}C{bend:.1f} {y:.1f} {bend:.1f} {y_end:.1f} {x_end:.1f} {y_end:.1f}"
        f"V{y_end + height_end:.1f}"
        f"C{bend:.1f} {y_end + height_end:.1f} {bend:.1f} {y + height:.1f} "
        f"{x:.1f} {y + height:.1f}Z"
    )
