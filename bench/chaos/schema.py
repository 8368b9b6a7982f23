"""Every operation that the OpenAPI description names, asked by every role, rightly and wrongly."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from django.contrib.auth.models import User
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from knox.models import AuthToken
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bench import invariant
from bench.chaos.bodies import bring_their_tickets
from bench.checks import Check, Result
from bench.load import Sender, ticket
from bench.stack import Stack
from bench.world import Desk, new_desk
from review import decisions
from review.metrics.definitions import DEFINITIONS
from review.roles import ROLES, give_role
from triage.models import Proposal

Operation = APIOperation[Any, Any, Any, Any]

SEED = 20_260_302
QUIET_SECONDS = 300.0
TICKETS = 40
DECIDED = 10
WEBHOOK = "/api/v1/sources/{slug}/webhook"
TAKEN = (200, 202, 400)
CHECKS_OF_AN_ANSWER = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOBODY, WITHOUT_ROLE, WRONG_TOKEN = "nobody", "without a role", "wrong token"


@dataclass
class Tally:
    """Answers by status, those that are not as described, and operations that were asked."""

    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def add(self, operation: str, status: int) -> None:
        self.asked[operation] += 1
        self.answers[status] += 1


def every_operation(stack: Stack, *, examples: int) -> Result:
    """Of each operation `examples` good requests, bad ones, and ones about rows that are there."""
    stack.up()
    desk = _worked_desk(stack)
    schema = schemathesis.openapi.from_url(f"{stack.url}/api/schema/?format=json")
    found = list(schema.get_all_operations())
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    tally = Tally()
    people = list(_people())
    with requests.Session() as session:
        ask = _asker(tally, session, people)
        for operation in operations:
            for strategy in _strategies(operation, desk):
                _draw(strategy, ask, examples)
    deliver = next(one for one in operations if one.path == WEBHOOK)
    _draw(deliver.as_strategy(), _deliverer(Sender(stack.url, desk), tally), 5 * examples)
    bring_their_tickets(desk, Sender(stack.url, desk))
    invariant.until_quiet(QUIET_SECONDS)
    said = ", ".join(f"{n:,} x {code}" for code, n in sorted(tally.answers.items()))
    # Proof that the roles got through, and not all of them everywhere.
    is_mixed = all(tally.answers[code] for code in (200, 400, 401, 403, 404))
    return Result(
        passed=not tally.wrong and is_mixed and len(tally.asked) == len(found),
        figure=f"{len(tally.asked)} of {len(found)} operations: {said}; {len(tally.wrong)} "
        "not as described" + (f"; see {tally.wrong[0][:300]}" if tally.wrong else ""),
    )


def _worked_desk(stack: Stack) -> Desk:
    """With tickets, proposals that wait and some that are decided."""
    desk = new_desk()
    sender = Sender(stack.url, desk)
    for number in range(TICKETS):
        sender.post(ticket(number, values={"category": "network"}))
    invariant.until_quiet(QUIET_SECONDS)
    waiting = Proposal.objects.filter(ticket__source=desk.source, waiting__isnull=False)
    for proposal in waiting.filter(values__field__is_main=True, values__choice__isnull=False)[
        :DECIDED
    ]:
        decisions.decide(
            proposal=proposal,
            reviewer=desk.source.owner,
            choices={},
            reasons={},
            with_playbook=False,
        )
    return desk


def _people() -> Iterator[tuple[str, dict[str, str]]]:
    """Each role with a token's header; people without one come, too."""
    for role in (*ROLES, WITHOUT_ROLE):
        user = User.objects.create_user(f"{role}-{time.time_ns()}".replace(" ", "-"))
        if role in ROLES:
            give_role(user, role)
        _, token = AuthToken.objects.create(user)
        yield role, {"Authorization": f"Token {token}"}
    yield WRONG_TOKEN, {"Authorization": f"Token {'0' * 64}"}
    yield NOBODY, {}


def _strategies(operation: Operation, desk: Desk) -> Iterator[st.SearchStrategy[Any]]:
    yield operation.as_strategy(GenerationMode.POSITIVE)
    yield operation.as_strategy(GenerationMode.NEGATIVE)
    if there := _there(operation.path, desk):
        yield st.builds(_about, operation.as_strategy(), st.sampled_from(there))


def _there(path: str, desk: Desk) -> list[dict[str, Any]]:
    """Path parameters that lead to something."""
    proposals = Proposal.objects.filter(ticket__source=desk.source)
    if path == WEBHOOK:
        return [{"slug": desk.source.slug}]
    if path.startswith("/api/v1/metrics/definitions/{"):
        return [{"key": key, "version": one.version} for key, one in DEFINITIONS.items()]
    if path.startswith("/api/v1/metrics/{"):
        return [{"key": key} for key in DEFINITIONS]
    if path.startswith("/api/v1/proposals/{"):
        return [{"id": pk} for pk in proposals.values_list("pk", flat=True)]
    if path.startswith("/api/v1/tickets/{"):
        return [{"id": pk} for pk in proposals.values_list("ticket", flat=True)]
    if path.startswith("/api/v1/decisions/{"):
        made = proposals.filter(decision__isnull=False)
        return [{"id": pk} for pk in made.values_list("decision", flat=True)]
    return []


def _about(case: Case[Any], parameters: Mapping[str, Any]) -> Case[Any]:
    case.path_parameters.update(parameters)
    return case


def _asker(
    tally: Tally, session: requests.Session, people: Sequence[tuple[str, Mapping[str, str]]]
) -> Callable[[Case[Any]], None]:
    """Everybody asks the same."""

    def ask(case: Case[Any]) -> None:
        for who, headers in people:
            response = case.call(session=session, headers=dict(headers))
            tally.add(case.operation.label, response.status_code)
            try:
                case.validate_response(response, checks=CHECKS_OF_AN_ANSWER)
            # A group of failures is no AssertionError.
            except (AssertionError, BaseExceptionGroup) as failed:
                tally.wrong.append(f"{who}: {' '.join(str(failed).split())}")

    return ask


def _deliverer(sender: Sender, tally: Tally) -> Callable[[Case[Any]], None]:
    def deliver(case: Case[Any]) -> None:
        answer = sender.post(case.body if isinstance(case.body, dict) else b"")
        tally.add(case.operation.label, answer.status)
        key = "detail" if answer.status == 400 else "delivery"
        if answer.status not in TAKEN or key not in answer.json():
            tally.wrong.append(f"signed: {answer.status} {answer.body[:200]!r}")

    return deliver


def _draw(
    strategy: st.SearchStrategy[Any], ask: Callable[[Case[Any]], None], examples: int
) -> None:
    """Ask as many examples; what goes wrong is counted and ends nothing.

    What takes no parameter and no body cannot be asked wrongly.
    """
    options = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )

    @seeded(SEED)
    @options
    @given(case=strategy)
    def run(case: Case[Any]) -> None:
        ask(case)

    with contextlib.suppress(Unsatisfiable):
        run()


CHECKS = [
    Check(
        "every operation of the API", every_operation, full={"examples": 60}, small={"examples": 2}
    ),
]
