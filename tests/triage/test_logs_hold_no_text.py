"""No line of the log holds what a requester wrote, whatever happens to the ticket."""

import ast
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.conftest import event_message, ticket_message
from triage import similar
from triage.models import Job, Proposal, Source

ROOT = Path(__file__).resolve().parents[2]
CANARY = "quetzalcoatl"
MESSAGE = ticket_message(
    subject=f"{CANARY} subject",
    body=f"{CANARY} body, from {CANARY}@example.org\n\nOn Monday {CANARY} wrote:\n> {CANARY}",
    requester={"address": f"{CANARY}@example.org", "name": CANARY},
)
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")
# What holds a ticket's words, by the name it has in the code.
WORDY = {
    "subject", "body", "text", "texts", "document", "reply", "resolution", "requester", "payload",
    "message", "words", "written", "ask", "ticket", "version", "delivery",
}  # fmt: skip


def test_a_ticket_leaves_none_of_its_words_in_the_log(
    source: Source,
    catalogue: Any,
    deliver: Callable[..., Any],
    work: Callable[..., int],
    client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("triage", "review", "mailparser_reply", "django.request", "celery"):
        caplog.set_level(logging.DEBUG, logger=name)
    deliver(source, MESSAGE)
    deliver(source, f"{{{CANARY}".encode())
    deliver(source, {"type": CANARY, "data": {"id": CANARY}})
    work()
    deliver(source, event_message(resolution=f"Told {CANARY}."))
    deliver(source, event_message(id="E-2", ticket_id=CANARY[:10]))
    work()

    assert Proposal.objects.exists()
    assert "proposed for tickets" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "broken",
    [
        # The value, what was to be a query, and the line of the statement, as the server quotes it.
        "SELECT %s::text[]::text::int, %s, %s, %s, %s, %s, %s",
        "SELECT '{CANARY}'::int /* %s %s %s %s %s %s %s */",
        "SELECT to_tsquery('simple', '{CANARY} {CANARY} |') /* %s %s %s %s %s %s %s */",
        "SELECT nothing FROM nowhere WHERE '{CANARY}' = '' /* %s %s %s %s %s %s %s */",
    ],
)
def test_a_step_that_fails_is_logged_and_stored_without_what_the_database_quotes(
    source: Source,
    deliver: Callable[..., Any],
    work: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    monkeypatch.setattr(similar, "FIND", broken.replace("{CANARY}", CANARY))
    deliver(source, MESSAGE)
    work()

    failed = Job.objects.get(kind=Job.Kind.EVIDENCE)
    assert failed.last_error
    assert CANARY not in failed.last_error
    assert "failed, attempt 1" in caplog.text
    assert CANARY not in caplog.text


def test_no_call_to_a_logger_is_given_something_with_words() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{call.lineno} {ast.unparse(argument)}"
        for room in ("triage", "review", "config")
        for path in sorted((ROOT / room).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and is_logging(call)
        for argument in call.args[1:]
        if last_name(argument) in WORDY
    ]

    assert wrong == []


def is_logging(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id == "logger"
    )


def last_name(argument: ast.expr) -> str:
    """`ticket.body` is `body`; `ticket.pk` is `pk`, which says nothing."""
    if isinstance(argument, ast.Attribute):
        return argument.attr
    return argument.id if isinstance(argument, ast.Name) else ""
