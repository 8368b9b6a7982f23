"""The page that shows what a rule would have matched, before or after it is saved."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from triage.admin import rule_rows
from triage.admin.base import DeskAdmin
from triage.admin.forms import JSONText
from triage.admin.rule_form import CHECKS
from triage.admin.rule_trial import LAST_TICKETS, try_rule
from triage.models import Source
from triage.policy.conditions import sentence

PAGE_SIZE = 25


def read_content(posted: Mapping[str, str], source: Source) -> tuple[dict[str, Any], list[str]]:
    """What a posted rule form says, and everything wrong with it; never raises."""
    content: dict[str, Any] = {"combine": posted.get("combine", "")}
    wrong = []
    if content["combine"] not in ("all", "any"):
        wrong.append("Say whether all or any of the conditions must hold.")
    known = rule_rows.catalogue(source)
    for name, check in CHECKS.items():
        try:
            content[name] = JSONText(required=False).clean(posted.get(name) or "[]")
        except ValidationError as error:
            wrong.append(f"{name.capitalize()}: {' '.join(error.messages)}")
            continue
        # An unfinished rule may be tried before it says what follows.
        if name == "conditions" or content[name]:
            wrong += check(content[name], known)
    return content, wrong


def trial_page(
    page: DeskAdmin,
    request: HttpRequest,
    source: Source,
    title: str,
    content: Mapping[str, Any],
    wrong: Sequence[str] = (),
) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "problems": wrong,
        "source": source,
        "opts": page.opts,
        "media": page.media,
        "last": LAST_TICKETS,
    }
    if not wrong:
        context |= _answer(request, source, content)
    return TemplateResponse(request, "triage/admin/rule_trial.html", context)


def _answer(request: HttpRequest, source: Source, content: Mapping[str, Any]) -> dict[str, Any]:
    trial = try_rule(source, content["combine"], content["conditions"])
    asked = request.POST if request.method == "POST" else request.GET
    said = sentence(
        content["combine"],
        content["conditions"],
        content["actions"],
        rule_rows.names()[source.pk],
    )
    return {
        "trial": trial,
        "said": said,
        "rows": Paginator(trial.matched, PAGE_SIZE).get_page(asked.get("page")),
        # Pages of an unsaved rule are turned by posting it again.
        "posted": {
            "combine": content["combine"],
            "conditions": json.dumps(content["conditions"]),
            "actions": json.dumps(content["actions"]),
        }
        if request.method == "POST"
        else None,
    }
