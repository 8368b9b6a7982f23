"""Texts from outside on pages and in tables: no script runs, no spreadsheet calculates."""

import csv
import io
import re
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from urllib.parse import quote

from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse

from bench.chaos import browser, payloads
from bench.chaos.browser import Visit
from bench.chaos.dressed import Dressed, dress, session_of, undress
from bench.checks import Check, Result
from bench.load import in_threads
from bench.stack import Stack
from review.metrics.registry import ENTRIES
from review.metrics.window import Group
from review.models import Decision, Reason
from triage.models import Delivery, Proposal

ROWS_OF_HISTORY = 50
# Addresses that say something of themselves on the page that they lead to.
REFLECTING = (
    "/?q={}", "/?source={}&category={}&team={}&held={}", "/?page={}&priority={}",
    "/history/?verdict={}&reviewer={}&choice={}&reason={}", "/history/?since={}&until={}&after={}",
    "/history/?q={}&source={}", "/news/?kind={}&page={}", "/concerns/?state={}&page={}",
    "/concerns/new/?ticket={}",
    "/metrics/?from={}&to={}&source={}&group={}", "/metrics/tickets/?metric={}&state={}&of={}",
    "/metrics/tickets/?metric=acceptance&field={}", "/accounts/login/?next={}", "/nothing/{}",
    "/admin/triage/ticket/?q={}", "/admin/triage/choice/?q={}&o={}&p={}", "/admin/login/?next={}",
    "/admin/triage/ticket/?source__id__exact={}", "/admin/triage/{}/",
    "/admin/triage/ticket/{}/change/", "/api/v1/tickets/?source={}", "/api/v1/tickets/?{}=1",
    "/api/v1/proposals/?choice={}&limit={}", "/api/v1/metrics/{}/", "/api/docs/?{}",
    "/metrics/{}.csv", "/accounts/reauthenticate/?next={}",
    "/admin/autocomplete/?term={}&app_label={}&model_name={}&field_name={}",
)  # fmt: skip
LISTS = (
    "triage_ticket", "triage_proposal", "triage_choice", "triage_escalationrule", "triage_playbook",
    "triage_rung", "triage_emergencystop", "triage_prediction", "triage_label", "triage_delivery",
    "triage_effect", "triage_job", "triage_ledgerentry", "triage_modelversion", "triage_field",
    "triage_source", "review_reason", "review_decision", "auth_user",
)  # fmt: skip
# What makes a cell live, once blanks and marks that are not seen have been passed over.
LIVE = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
UNSEEN = " \n\u00a0\ufeff\u200b"
SEPARATORS = ",;\t|"


def scripts_in_text(stack: Stack, *, payloads_seen: int, lists_seen: int) -> Result:
    """Every payload in every place, seen through the pages of people and owners in Chromium."""
    stack.up()
    everything = payloads.texts()
    chosen = payloads.spread(everything, payloads_seen)
    live = in_threads([partial(browser.live, chosen)], 1)[0]
    dressed = dress(stack, chosen)
    visits = [*_visits(dressed), *payloads.spread(list(_lists(len(dressed))), lists_seen)]
    cookie = session_of(_root())
    seen = in_threads([partial(browser.look, stack.url, cookie, visits)], 1)[0]
    undress()
    return Result(
        passed=seen.is_clean
        and live > len(chosen) // 4
        and seen.shown == sum(bool(one.shows) for one in visits),
        figure=f"{len(chosen)} payloads, {live} of which run where nothing is escaped; "
        f"{seen.pages:,} pages, {seen.shown:,} of them showed one as text; {len(seen.ran)} ran, "
        f"{len(seen.injected)} became markup, {len(seen.violations)} stopped by the policy, "
        f"{len(seen.broken)} pages broken{seen.first()}",
    )


def formulas_in_tables(stack: Stack, *, names: int) -> Result:
    """Names that spreadsheets calculate, in every table there is, read with every separator."""
    stack.up()
    chosen = payloads.spread(payloads.formulas(), names)
    dress(stack, chosen)
    undress()
    name, value = session_of(_root())
    lines = 0
    told: list[str] = []
    live: list[str] = []
    for key in ENTRIES:
        for group in Group:
            url = f"{stack.url}/metrics/{key}.csv?group={group.value}"
            request = urllib.request.Request(url, headers={"Cookie": f"{name}={value}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read().decode()
            rows = list(csv.reader(io.StringIO(text, newline="")))
            lines += len(rows)
            told += [cell.replace("'", "") for row in rows for cell in row]
            live += [f"{url}: {cell!r}" for cell in live_cells(text)]
    seen = sum(any(one.replace("'", "") in cell for cell in told) for one in chosen)
    return Result(
        passed=not live and seen == len(chosen),
        figure=f"{len(chosen)} names, {seen} of them shown in {lines:,} lines of "
        f"{len(ENTRIES) * len(Group)} tables; {len(live)} live cells"
        + (f"; see {live[0][:200]}" if live else ""),
    )


def live_cells(text: str) -> list[str]:
    """Cells of a CSV text that a spreadsheet would calculate, whatever it takes for separator."""
    return [
        cell
        for separator in SEPARATORS
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for cell in row
        if cell.lstrip(UNSEEN).startswith(LIVE) and not _is_number(cell)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _root() -> User:
    """Somebody who may see every page."""
    name = f"root-{time.time_ns()}"
    return User.objects.create_user(name, is_staff=True, is_superuser=True)


def _visits(dressed: Sequence[Dressed]) -> Iterator[Visit]:
    """Each text's ticket for people and for owners, one of its other pages, and a reflection."""
    for number, one in enumerate(dressed):
        told = _call(one.text)
        yield Visit(f"/tickets/{one.waiting.pk}/?do=override", told, clicks="[role=combobox]")
        yield Visit(f"/tickets/{one.waiting.pk}/beside/{one.decided.pk}/", told)
        yield Visit(f"/tickets/{one.waiting.pk}/requester/", told)
        yield Visit(_change(one.waiting), told)
        others = list(_others(one))
        yield Visit(_change(others[number % len(others)]), told, clicks=".select2-selection")
        address = REFLECTING[number % len(REFLECTING)]
        said = quote(one.text, safe="")
        yield Visit(address.replace("{}", said), statuses=(200, 400, 403, 404))
    yield Visit(f"/tickets/{dressed[-1].decided.pk}/", _call(dressed[-1].text))


def _lists(texts: int) -> Iterator[Visit]:
    """Every list, page by page, as far as the texts reach."""
    for group in Group:
        yield Visit(f"/metrics/?group={group.value}")
    for metric in ENTRIES:
        # 403: of fewer people than may be told.
        yield Visit(f"/metrics/tickets/?metric={metric}", statuses=(200, 400, 403))
    for page in range(texts // 25 + 1):
        yield Visit(f"/?page={page + 1}")
    for page in range(texts // 50 + 1):
        for name in LISTS:
            yield Visit(f"{reverse(f'admin:{name}_changelist')}?p={page + 1}", statuses=(200, 404))
    yield Visit("/history/")
    yield Visit("/news/")
    decided = Decision.objects.order_by("-decided_at", "-pk")
    for row in list(decided[: texts + 1])[ROWS_OF_HISTORY - 1 :: ROWS_OF_HISTORY]:
        yield Visit(f"/history/?after={quote(f'{row.decided_at.isoformat()}_{row.pk}')}")


def _others(one: Dressed) -> Iterable[Model]:
    yield one.rule
    yield one.choice
    yield one.playbook
    yield one.decision
    yield one.prediction
    yield Delivery.objects.get(versions__ticket=one.waiting)
    yield Proposal.objects.get(ticket=one.waiting)
    yield Reason.objects.get(key=f"dressed-{one.decision.proposal_id}")


def _change(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _call(text: str) -> str:
    """The payload's own call, by which it is known on a page, or all of it."""
    found = re.search(r"(?:ran|alert)\(\d+\)", text)
    return found.group() if found else text.strip()


CHECKS = [
    Check(
        "scripts in texts",
        scripts_in_text,
        full={"payloads_seen": 0, "lists_seen": 0},
        small={"payloads_seen": 6, "lists_seen": 9},
    ),
    Check("formulas in tables", formulas_in_tables, full={"names": 0}, small={"names": 10}),
]
