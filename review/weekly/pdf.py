"""The weekly report on paper, in the language that is active."""

from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from review.metrics import wording
from review.metrics.figures import Figure, Kind
from review.metrics.kpis.page import ShownBoard, ShownLine
from review.weekly.contents import Budget, Content, Headline, Told, absolute
from review.weekly.paper import Cell, Paper, Point

NONE = wording.EN_DASH


def made(told: Content, language: str) -> bytes:
    title = _("Countersign: week %(week)s") % {"week": str(told.week)}
    paper = Paper(title, told.made_at, language)
    paper.heading(title, size=18, space=0)
    paper.said(scope_said(told))
    if told.is_behind:
        paper.said(behind_said(), tone="bad")
    _headlines(paper, told)
    _findings(paper, told)
    for shown in told.boards:
        _board(paper, shown)
    if told.boards:
        paper.said(experiment_said())
    _budgets(paper, told.budgets)
    _silences(paper, told)
    paper.heading(_("Where to go on"))
    paper.said(_("The metrics of this week"), href=told.metrics_url)
    paper.said(_("Before and now"), href=told.kpis_url)
    paper.said(_("No figure here is about one person, and none can be split by person."))
    return bytes(paper.output())


def scope_said(told: Content) -> str:
    return _("%(first)s to %(last)s, %(zone)s · %(source)s · made on %(day)s") % {
        "first": _day(told.week.monday),
        "last": _day(told.week.last),
        "zone": told.time_zone,
        "source": told.source.name if told.source else _("all sources"),
        "day": _day(told.made_at),
    }


def behind_said() -> str:
    return _("Some days were still being counted when this was made: figures may be too low.")


def experiment_said() -> str:
    return _(
        "Before and now is no experiment: whatever else has changed meanwhile is in the "
        "difference too."
    )


def cell(figure: Figure) -> str:
    """Value, interval and n, one below the other."""
    if figure.value is None:
        return figure.text
    parts = [figure.text, figure.interval_text]
    if figure.kind != Kind.DIFFERENCE:
        parts.append(f"n {wording.whole(figure.n)}")
    return "\n".join(part for part in parts if part)


def _headlines(paper: Paper, told: Content) -> None:
    paper.heading(_("Last week and the four weeks before"))
    header = [_("Metric"), _("Last week"), _("Four weeks before"), _("Difference")]
    rows = [
        [
            Cell(f"{one.name}\n{_('version %(version)s') % {'version': one.version}}", one.href),
            Cell(cell(one.now)),
            Cell(cell(one.before)),
            Cell(cell(one.difference) if one.difference.value is not None else NONE),
        ]
        for one in told.headlines
    ]
    paper.grid(header, rows, (40, 20, 20, 24))
    drawn = [(one.name, _points(one)) for one in told.headlines]
    drawn = [(name, points) for name, points in drawn if points]
    if drawn:
        legend = [(_("last week"), "accent"), (_("four weeks before"), "idle")]
        paper.chart(drawn, wording.percent, legend)
    paper.said(_("Ranges are 95 % intervals. Below its least n no figure is shown."))


def _points(one: Headline) -> list[Point]:
    sides = ((one.now, "accent"), (one.before, "idle"))
    return [point for figure, tone in sides if (point := _point(figure, tone))]


def _point(figure: Figure | None, tone: str) -> Point | None:
    if figure is None or figure.value is None or figure.interval is None:
        return None
    return Point(figure.value, figure.interval.low, figure.interval.high, tone)


def _findings(paper: Paper, told: Content) -> None:
    paper.heading(_("Where automation hurts, and where it helps"))
    if not (told.hurts or told.helps):
        paper.said(_("Nothing differs by more than chance explains."))
    for name, found, tone in ((_("Hurts"), told.hurts, "bad"), (_("Helps"), told.helps, "good")):
        _list(paper, name, found, tone)


def _list(paper: Paper, name: str, found: Sequence[Told], tone: str) -> None:
    for one in found:
        paper.said(f"{name}: {one.name}: {one.text}", tone=tone)
        if one.href:
            paper.said(_("Its tickets"), href=one.href, size=8)


def _board(paper: Paper, shown: ShownBoard) -> None:
    board = shown.board
    paper.heading(_("Before and now: %(source)s") % {"source": board.source.name})
    if board.began is None:
        paper.said(_("Automation has not begun."))
    else:
        paper.said(_("Automation began on %(day)s.") % {"day": _day(board.began)})
    if not board.has_baseline:
        paper.said(_("There is no baseline: nothing to compare with."))
    header = [_("Measure"), _("Before"), _("Now"), _("Difference"), _("Target")]
    rows = [[Cell(text, href) for text, href in _measure(line)] for line in shown.lines]
    paper.grid(header, rows, (30, 18, 18, 22, 22))
    for kind, say in ((Kind.RATE, wording.percent), (Kind.SECONDS, wording.duration)):
        drawn = []
        for line in shown.lines:
            measure = line.line.measure
            sides = (_point(line.line.before, "idle"), _point(line.line.now, "accent"))
            points = [point for point in sides if point]
            if measure.kind == kind and points:
                drawn.append((str(measure.definition.name), points))
        if drawn:
            paper.chart(drawn, say, [(_("before"), "idle"), (_("now"), "accent")])


def _measure(shown: ShownLine) -> list[tuple[str, str]]:
    line = shown.line
    difference = NONE
    if shown.difference and not shown.difference.is_too_few:
        parts = (shown.difference.text, shown.difference.interval, str(line.change_text))
        difference = "\n".join(part for part in parts if part)
    target = f"{line.target_text}\n{line.verdict_text}" if line.target else str(line.verdict_text)
    return [
        (str(line.measure.definition.name), ""),
        (cell(line.before) if line.before else _("no baseline"), _href(shown.before)),
        (cell(line.now) if line.days else _("not begun"), _href(shown.now)),
        (difference, ""),
        (target, ""),
    ]


def _href(shown: object) -> str:
    return absolute(getattr(shown, "href", "") or "")


def _budgets(paper: Paper, budgets: Sequence[Budget]) -> None:
    paper.heading(_("Error budgets"))
    if not budgets:
        paper.said(_("No choice holds a certificate that was checked since."))
        return
    header = [_("Choice"), _("7 days"), _("30 days"), _("Checks in 30 days")]
    rows = [
        [
            Cell(f"{one.choice}\n{one.source} · {one.field}"),
            Cell(burn_text(one.week)),
            Cell(burn_text(one.month)),
            Cell(wording.whole(one.month_checks)),
        ]
        for one in budgets
    ]
    paper.grid(header, rows, (44, 16, 16, 20))
    paper.said(
        _("Errors on blind checks as a multiple of what the certificate allows: above 1 is spent.")
    )


def burn_text(ratio: float | None) -> str:
    return NONE if ratio is None else wording.decimal(ratio)


def _silences(paper: Paper, told: Content) -> None:
    paper.heading(_("Silent helpdesks"))
    if not told.silences:
        paper.said(_("All helpdesks answer."))
    for one in told.silences:
        paper.said(
            _("%(name)s has not answered since %(since)s; tickets that wait for it: %(waiting)s.")
            % {
                "name": one.name,
                "since": date_format(one.since.astimezone(told.made_at.tzinfo), "DATETIME_FORMAT"),
                "waiting": wording.whole(one.waiting),
            },
            tone="bad",
        )


def _day(day: object) -> str:
    return str(date_format(day, "DATE_FORMAT"))  # type: ignore[arg-type]
