"""What changed since somebody last looked, and the small count of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from review import bell
from review.news import KINDS, NewsFilter, news_page
from review.views import for_people, person
from review.views.queue import page_number


@require_safe
@for_people("review.view_decision")
def news(request: HttpRequest) -> HttpResponse:
    """Reading the first page of everything marks it as read."""
    now, who = timezone.now(), person(request)
    page = news_page(who, NewsFilter.read(request.GET), number=page_number(request) or 1)
    if page.is_all and request.method == "GET":
        bell.mark_read(who, now)
    return render(request, "review/news.html", {"news": page, "kinds": KINDS})


@require_safe
@for_people("review.view_decision")
def count(request: HttpRequest) -> HttpResponse:
    """The bell's number for pages that have asked for no query; empty where nothing is new."""
    return render(request, "review/_bell_count.html", {"unread": bell.count(person(request))})
