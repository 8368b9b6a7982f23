"""Where forms and links of a proposal lead: the review pages, or a helpdesk's frame."""

from django import template
from django.template import Context
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def act(context: Context, name: str) -> str:
    """The address of a way to decide; on the review pages it keeps the filter of the queue."""
    if context.get("frame"):
        return reverse(f"embed:{name}")
    return reverse(f"review:{name}", args=[context["page"].proposal.pk]) + _query(context)


@register.simple_tag(takes_context=True)
def unfolds(context: Context, name: str) -> str:
    """The page with a form unfolded. In a frame the page is there already: its style unfolds it."""
    if context.get("frame"):
        return f"#{name}"
    query = _query(context)
    return f"{_here(context)}{f'{query}&' if query else '?'}do={name}#{name}"


@register.simple_tag(takes_context=True)
def folded(context: Context) -> str:
    """The page with no form unfolded."""
    return "#proposal" if context.get("frame") else _here(context) + _query(context)


@register.simple_tag(takes_context=True)
def effects_url(context: Context) -> str:
    if context.get("frame"):
        return reverse("embed:effects")
    return reverse("review:effects", args=[context["ticket_pk"]])


def _here(context: Context) -> str:
    return reverse("review:ticket", args=[context["page"].ticket.pk])


def _query(context: Context) -> str:
    query: str = context["queue"].filter.query
    return query
