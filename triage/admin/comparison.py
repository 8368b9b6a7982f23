"""Champion and challenger side by side: on live tickets that both predicted, and held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from triage.admin import evidence
from triage.admin.base import DeskAdmin
from triage.admin.evidence import Table, chart_of
from triage.admin.theme import action
from triage.learning import registry
from triage.learning.comparison import LEAST_TO_SAY, Paired, Rate
from triage.learning.shared import DAYS, MOST_TICKETS, Comparison, Shared, compare
from triage.models import Choice, Label, ModelVersion, Ticket

State = ModelVersion.State
PAGE_SIZE = 25
MOST_OTHERS = 10
MOST_CHANGES = 30
# Figures of evidence that both have and that mean the same in both.
HELD_OUT = (
    "accuracy",
    "macro_f1",
    "top_3",
    "brier",
    "calibration_error",
    "coverage_at_error_02",
    "coverage_at_error_05",
)
HEAD = ["", "Tickets", "Champion right", "Challenger right", "Difference, 95 % interval"]


class ComparisonPage(DeskAdmin):
    """The page of a version beside another; the one in service unless told otherwise."""

    @action(description="Compare", permissions=["view"], url_path="compare", icon="balance")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        others = list(
            ModelVersion.objects.filter(field=row.field_id)
            .exclude(pk=row.pk)
            .select_related("field")
            .order_by("-number")[:MOST_OTHERS]
        )
        other = _chosen(row, others, request.GET.get("with", ""))
        if other is None:
            self.message_user(request, f"{row} is the only version there is.", messages.WARNING)
            return redirect("admin:triage_modelversion_change", row.pk)
        sides = (row, other) if row.state == State.CHAMPION else (other, row)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{sides[1]} beside {sides[0]}",
            "opts": self.opts,
            "original": row,
            "other": other,
            "others": others,
            "media": self.media,
            **_context(compare(*sides), request.GET.get("page", "")),
        }
        return TemplateResponse(request, "triage/admin/comparison.html", context)


def _chosen(row: ModelVersion, others: Sequence[ModelVersion], wanted: str) -> ModelVersion | None:
    """The version asked for; else the champion, or beside the champion the newest shadow."""
    for one in others:
        if str(one.pk) == wanted:
            return one
    first = State.SHADOW if row.state == State.CHAMPION else State.CHAMPION
    return next((one for one in others if one.state == first), others[0] if others else None)


def _context(found: Comparison, page: str) -> dict[str, Any]:
    rows = Paginator(found.changed, PAGE_SIZE).get_page(page)
    names = dict(Choice.objects.filter(field=found.champion.field_id).values_list("key", "name"))
    return {
        "found": found,
        "days": DAYS,
        "most": MOST_TICKETS,
        "least": LEAST_TO_SAY,
        "verdict": registry.judged(found),
        "blind": found.blind,
        "cards": _cards(found),
        "by_truth": _by_truth(found),
        "by_choice": _by_choice(found, names),
        "held_out": _held_out(found),
        "changes": [
            (names.get(old or "", old), names.get(new or "", new), n)
            for (old, new), n in found.changes.most_common(MOST_CHANGES)
        ],
        "kinds": len(found.changes),
        "rows": rows,
        "tickets": _tickets(rows, names),
    }


def _cards(found: Comparison) -> list[tuple[str, str]]:
    blind, agreement = found.blind, found.agreement
    cards = [
        (f"{len(found.tickets):,}", f"live tickets of the last {DAYS} days that both predicted")
    ]
    if agreement is not None:
        cards.append((f"{agreement.value:.1%}", f"alike, 95 % interval {_interval(agreement)}"))
        cards.append((f"{len(found.changed):,}", "would be proposed another value"))
    said = "-" if blind is None or not blind.is_said else f"{100 * blind.difference.value:+.1f}"
    checks = 0 if blind is None else blind.n
    cards.append((said, f"points of accuracy more or less, on {checks:,} blind checks"))
    return cards


def _by_truth(found: Comparison) -> Table:
    rows = [
        ["Blind checks, weighted by 1 / propensity", *_cells(found.blind)],
        ["Decisions of people who saw the advice", *_cells(found.beside(Label.Origin.DECISION))],
        ["Outcomes after the advice", *_cells(found.beside(Label.Origin.OUTCOME))],
    ]
    return Table("Accuracy on live tickets", HEAD, rows)


def _by_choice(found: Comparison, names: Mapping[str, str]) -> Table:
    by_choice = found.by_choice()
    said = {key: one for key, one in by_choice.items() if one.is_said}
    chart = chart_of(
        [names.get(key, key) for key in said],
        {
            str(found.champion): [one.champion.value for one in said.values()],
            str(found.challenger): [one.challenger.value for one in said.values()],
        },
    )
    rows = [[names.get(key, key), *_cells(one)] for key, one in by_choice.items()]
    return Table("Accuracy by true choice, on blind checks", ["Choice", *HEAD[1:]], rows, chart)


def _held_out(found: Comparison) -> Table:
    ours, theirs = found.champion.evidence, found.challenger.evidence
    keys = [key for key in HELD_OUT if evidence.is_number(ours.get(key)) and key in theirs]
    chart = chart_of(
        [evidence.said(key) for key in keys],
        {
            str(found.champion): [ours[key] for key in keys],
            str(found.challenger): [theirs[key] for key in keys],
        },
    )
    rows = [
        [
            evidence.said(key),
            f"{ours[key]:.4f}",
            f"{theirs[key]:.4f}",
            f"{theirs[key] - ours[key]:+.4f}",
        ]
        for key in keys
    ]
    head = ["Figure", str(found.champion), str(found.challenger), "Difference"]
    return Table("Held-out figures", head, rows, chart)


def _cells(one: Paired | None) -> list[str]:
    """Below the minimum it says how many there are, and no rate."""
    if one is None:
        return ["0", "-", "-", "-"]
    if not one.is_said:
        return [f"{one.n:,}", "too few", "too few", "too few"]
    low, high = 100 * one.difference.low, 100 * one.difference.high
    return [
        f"{one.n:,}",
        f"{one.champion.value:.1%}",
        f"{one.challenger.value:.1%}",
        f"{100 * one.difference.value:+.1f} points ({low:+.1f} to {high:+.1f})",
    ]


def _interval(rate: Rate) -> str:
    return f"{rate.low:.1%} to {rate.high:.1%}"


def _tickets(
    rows: Page[Shared], names: Mapping[str, str]
) -> list[tuple[Ticket, str | None, str | None]]:
    """The tickets of one page with what each version proposes."""
    shown = list(rows)
    found = Ticket.objects.only("external_id", "subject", "opened_at", "erased_at").in_bulk(
        [row.ticket for row in shown]
    )
    return [
        (
            found[row.ticket],
            names.get(row.champion or "", "-"),
            names.get(row.challenger or "", "-"),
        )
        for row in shown
        if row.ticket in found
    ]
