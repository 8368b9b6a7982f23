"""Pages on which a team agrees on what its metrics mean. Everybody who reads metrics reads them."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from review.metrics import co_creation, definition_pages, versions, votes, wording
from review.metrics.definition_forms import (
    ActivateForm,
    BallotForm,
    CommentForm,
    ProposalForm,
    RetireForm,
)
from review.metrics.definition_pages import DefinitionFilter
from review.metrics.definition_rows import ACTIVATES, SHAPES, Refused
from review.metrics.definitions import DEFINITIONS
from review.models import DefinitionComment, MetricDefinition
from review.views import for_people, person
from review.views.queue import page_number

READS = "review.view_decision"
Work = Callable[[int], object]


@require_safe
@for_people(READS)
def definitions(request: HttpRequest) -> HttpResponse:
    chosen = DefinitionFilter.read(request.GET)
    legitimacy = co_creation.legitimacy()
    context = {
        "page": definition_pages.definitions_page(chosen, page_number(request) or 1),
        "filter": chosen,
        "query": chosen.url_query().removeprefix("?"),
        "statuses": MetricDefinition.Status.choices,
        "legitimacy": legitimacy,
        "range": wording.percent_range(legitimacy.interval) if legitimacy.interval else "",
    }
    return render(request, "review/metrics/definitions.html", context)


@require_safe
@for_people(READS)
def metric(request: HttpRequest, key: str) -> HttpResponse:
    """A metric's address leads to the version that is in force."""
    _known(key)
    standing = versions.in_force_of(key, timezone.now())
    return redirect("review:definition", key, standing.version)


@require_safe
@for_people(READS)
def definition(request: HttpRequest, key: str, version: int) -> HttpResponse:
    return _page(request, key, version)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people(SHAPES)
def propose(request: HttpRequest, key: str) -> HttpResponse:
    """The form begins with what is in force."""
    _known(key)
    standing = versions.in_force_of(key, timezone.now())
    data = request.POST if request.method == "POST" else None
    form = ProposalForm(data, standing=standing)
    if data is None or not form.is_valid():
        return _form(request, form, status=422 if data else 200)
    try:
        row = co_creation.propose(
            key, form.draft(), by=person(request), why=form.cleaned_data["why"]
        )
    except Refused as error:
        form.add_error(None, str(error))
        return _form(request, form, status=422)
    messages.success(request, _("Proposed. Your colleagues can discuss it now."))
    return redirect("review:definition", key, row.version)


@require_POST
@for_people(SHAPES)
def withdraw(request: HttpRequest, key: str, version: int) -> HttpResponse:
    by = person(request)
    return _step(request, key, version, lambda pk: co_creation.withdraw(pk, by=by), _("Withdrawn."))


@require_POST
@for_people(SHAPES)
def comment(request: HttpRequest, key: str, version: int) -> HttpResponse:
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _page(request, key, version, status=422, comment_form=form)
    by, text = person(request), form.cleaned_data["text"]
    return _step(
        request,
        key,
        version,
        lambda pk: co_creation.comment(pk, by=by, text=text),
        _("Your comment was added."),
        comment_form=form,
    )


@require_POST
@for_people(SHAPES)
def delete_comment(request: HttpRequest, pk: int) -> HttpResponse:
    by = person(request)
    found = DefinitionComment.objects.filter(pk=pk, author=by).select_related("definition").first()
    if found is None:
        raise Http404(_("You have no such comment."))
    row = found.definition
    return _step(
        request,
        row.key,
        row.version,
        lambda _row: co_creation.delete_comment(pk, by=by),
        _("Your comment was deleted."),
    )


@require_POST
@for_people(READS)
def open_vote(request: HttpRequest, key: str, version: int) -> HttpResponse:
    by = _leader(request, key, version)
    return _step(
        request, key, version, lambda pk: votes.open_vote(pk, by=by), _("The vote is open.")
    )


@require_POST
@for_people(SHAPES)
def vote(request: HttpRequest, key: str, version: int) -> HttpResponse:
    form = BallotForm(request.POST)
    if not form.is_valid():
        return _page(request, key, version, status=422, ballot_form=form)
    by, said = person(request), form.cleaned_data

    def cast(pk: int) -> None:
        votes.vote(pk, by=by, says_yes=said["says"] == "yes", reason=said["reason"])

    saved = _("Your vote is in. You can change it until the vote closes.")
    return _step(request, key, version, cast, saved)


@require_POST
@for_people(READS)
def close_vote(request: HttpRequest, key: str, version: int) -> HttpResponse:
    by = _leader(request, key, version)
    return _step(
        request,
        key,
        version,
        lambda pk: votes.close_vote(pk, by=by),
        _("The vote is closed and counted."),
    )


@require_POST
@for_people(ACTIVATES)
def activate(request: HttpRequest, key: str, version: int) -> HttpResponse:
    form = ActivateForm(request.POST)
    if not form.is_valid():
        return _page(request, key, version, status=422, activate_form=form)
    by, said = person(request), form.cleaned_data

    def put_in_force(pk: int) -> None:
        co_creation.activate(pk, by=by, instead_of=said["instead_of"], because=said["because"])

    return _step(request, key, version, put_in_force, _("It is in force now."))


@require_POST
@for_people(ACTIVATES)
def retire(request: HttpRequest, key: str, version: int) -> HttpResponse:
    form = RetireForm(request.POST)
    if not form.is_valid():
        return _page(request, key, version, status=422, retire_form=form)
    by, because = person(request), form.cleaned_data["because"]
    return _step(
        request,
        key,
        version,
        lambda pk: co_creation.retire(pk, by=by, because=because),
        _("It is retired."),
    )


def _known(key: str) -> None:
    if key not in DEFINITIONS:
        raise Http404(_("There is no metric %(key)s.") % {"key": key[:60]})


def _row(key: str, version: int) -> MetricDefinition:
    """404 for a version that is not there, and for the service's own, which nobody proposed."""
    found = definition_pages.made_by_teams().filter(key=key, version=min(version, 2**31 - 1))
    if (row := found.first()) is None:
        raise Http404(_("No team has made a version %(number)s.") % {"number": version})
    return row


def _leader(request: HttpRequest, key: str, version: int) -> Any:
    by = person(request)
    if not votes.leads_vote(_row(key, version), by):
        raise PermissionDenied(ACTIVATES)
    return by


def _step(
    request: HttpRequest, key: str, version: int, work: Work, said: str, **shown: forms.Form
) -> HttpResponse:
    """Take one step; where the state forbids it, the page says so and keeps what was typed."""
    try:
        work(_row(key, version).pk)
    except Refused as error:
        return _page(request, key, version, status=409, refusal=str(error), **shown)
    messages.success(request, said)
    return redirect("review:definition", key, version)


def _page(
    request: HttpRequest,
    key: str,
    version: int,
    *,
    status: int = 200,
    refusal: str = "",
    **bound: forms.Form,
) -> HttpResponse:
    viewer, number = person(request), page_number(request) or 1
    try:
        shown = definition_pages.version_page(
            key, min(version, 2**31 - 1), viewer=viewer, number=number
        )
    except KeyError as error:
        raise Http404(_("There is no such definition.")) from error
    fresh = {
        "comment_form": CommentForm(),
        "ballot_form": BallotForm(initial=_own(shown)),
        "activate_form": ActivateForm(initial={"instead_of": shown.standing.version}),
        "retire_form": RetireForm(),
    }
    context = {
        **fresh,
        **bound,
        "shown": shown,
        "definition": shown.definition,
        "row": shown.row,
        "page": shown.comments,
        "refusal": refusal,
        "leads": shown.row is not None and votes.leads_vote(shown.row, viewer),
    }
    return render(request, "review/metrics/definition.html", context, status=status)


def _own(shown: definition_pages.VersionPage) -> dict[str, str]:
    own = shown.vote.own if shown.vote else None
    return {"says": "yes" if own.says_yes else "no", "reason": own.reason} if own else {}


def _form(request: HttpRequest, form: ProposalForm, *, status: int) -> HttpResponse:
    context = {"form": form, "standing": form.standing}
    return render(request, "review/metrics/definition_form.html", context, status=status)
