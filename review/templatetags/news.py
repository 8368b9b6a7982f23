"""The bell's count for the bar on top."""

from django import template
from django.contrib.auth.models import User
from django.template.context import RequestContext

from review import bell

register = template.Library()


@register.simple_tag(takes_context=True)
def news_count(context: RequestContext, *, lazy: object = None) -> int | None:
    """`lazy`: only what is remembered, since the page asks for the rest once it is there."""
    user = context.get("user")
    if not isinstance(user, User):
        return None
    return bell.remembered(user) if lazy else bell.count(user)
