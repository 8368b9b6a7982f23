"""The weekly report as a page and a PDF, and whether one wants it by mail."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from review.metrics.sections import SECTIONS
from review.metrics.window import local_now
from review.models import WeeklySubscription
from review.views import for_people, person
from review.weekly import pdf as paper
from review.weekly import sending
from review.weekly.contents import content
from review.weekly.forms import SubscriptionForm, WeekForm
from review.weekly.weeks import Week

SLUG = "weekly"


@require_safe
@for_people(sending.RECEIVES)
def weekly(request: HttpRequest) -> HttpResponse:
    """What the mail of a week says, and one's own settings."""
    return _page(request)


@require_safe
@for_people(sending.RECEIVES)
def pdf(request: HttpRequest) -> HttpResponse:
    form = _week_form(request)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    told = content(form.cleaned_data["week"], form.cleaned_data["source"])
    return HttpResponse(
        paper.made(told, get_language() or "en"),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{sending.file_name(told)}"'},
    )


@require_POST
@for_people(sending.RECEIVES)
def settle(request: HttpRequest) -> HttpResponse:
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, subscription_form=form)
    said = form.cleaned_data
    if said["wanted"]:
        sending.subscribe(person(request), source=said["source"], language=said["language"])
        messages.success(
            request, _("You will be sent the report every Monday from six o’clock on.")
        )
    else:
        sending.unsubscribe(person(request))
        messages.success(request, _("You will not be sent the report."))
    return redirect("review:weekly")


def _week_form(request: HttpRequest) -> WeekForm:
    return WeekForm(request.GET, newest=Week.before(local_now().date()))


def _page(
    request: HttpRequest, *, status: int = 200, subscription_form: SubscriptionForm | None = None
) -> HttpResponse:
    form = _week_form(request)
    viewer = person(request)
    context = {
        "form": form,
        "here": SLUG,
        "sections": SECTIONS.values(),
        "subscription_form": subscription_form or _own_form(request),
        "address": viewer.email,
    }
    if not form.is_valid():
        return render(request, "review/metrics/weekly.html", context, status=400)
    week, source = form.cleaned_data["week"], form.cleaned_data["source"]
    query = urlencode({"week": str(week), "source": source.slug if source else ""})
    context |= {"content": content(week, source), "query": query}
    return render(request, "review/metrics/weekly.html", context, status=status)


def _own_form(request: HttpRequest) -> SubscriptionForm:
    row = WeeklySubscription.objects.filter(person=person(request)).select_related("source").first()
    return SubscriptionForm(
        initial={
            "wanted": row is not None,
            "source": row.source.slug if row and row.source else "",
            "language": row.language if row else get_language(),
        }
    )
