"""Erasing by hand: the command, the owner's page, and every page that showed the words before."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from bench import traces
from review import decisions, erasure
from review.models import Decision
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
from tests.conftest import event_message, new_ticket, new_user, ticket_message
from triage.erasure import Whose
from triage.models import Choice, LedgerEntry, Proposal, Source, Ticket

pytestmark = pytest.mark.django_db

ANN = "ann@example.org"
SUBJECT, BODY, NAME, COMMENT, SOLVED = (
    "zqsubjectzq",
    "zqbodyzq",
    "zqnamezq",
    "zqcommentzq",
    "zqsolvedzq",
)
CANARIES = (SUBJECT, BODY, NAME, COMMENT, SOLVED, "ann@example")


@pytest.fixture
def decided(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[[], int],
    technician: User,
) -> Ticket:
    """Ann's ticket, accepted with a comment and solved."""
    deliver(
        source,
        ticket_message(
            id="A-1",
            subject=f"VPN {SUBJECT}",
            body=f"The tunnel closes, {BODY}.",
            requester={"address": ANN, "name": f"Ann {NAME}"},
            values={"category": "network"},
        ),
    )
    work()
    proposal = Proposal.objects.get()
    decisions.decide(
        proposal=proposal,
        reviewer=technician,
        choices={},
        reasons={},
        with_playbook=False,
        text=f"Ann called: {COMMENT}",
    )
    deliver(source, event_message(ticket_id="A-1", resolution=f"Told her {SOLVED}."))
    work()
    return Ticket.objects.get()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def run(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command("erase", *args, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_comments_on_decisions_go_and_the_decisions_stay(decided: Ticket, source: Source) -> None:
    before = traces.in_database(CANARIES)

    report = erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert {"review_decision.text", "triage_effect.payload"} <= before[COMMENT]
    assert traces.in_database(CANARIES) == {}
    decision = Decision.objects.get()
    assert (decision.verdict, decision.text, decision.values.count()) == ("accepted", "", 3)
    assert report.counts.named()["comments on decisions"] == 1


def test_figures_are_the_same_before_and_after(
    decided: Ticket, source: Source, technician: User
) -> None:
    client = signed_in(technician)
    addresses = [row["url"] for row in client.get("/api/v1/metrics/").json()]
    before = [client.get(address).json() for address in addresses]

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    assert len(addresses) > 5
    assert [client.get(address).json() for address in addresses] == before


# --- The command ----------------------------------------------------------------------------
def test_a_dry_run_says_what_would_go_and_leaves_it(decided: Ticket) -> None:
    said = run("--requester", ANN, "--dry-run")

    assert "1  tickets\n" in said
    assert "2  stored deliveries\n" in said
    assert "1  comments on decisions\n" in said
    assert Ticket.objects.get().requester == ANN


def test_the_command_erases_and_names_who_answers_for_it(decided: Ticket, ai_owner: User) -> None:
    said = run("--source", "desk", "--ticket", "A-1", "--yes", "--by", "olivia")

    assert "Erased 1 tickets." in said
    assert traces.in_database(CANARIES) == {}
    entry = LedgerEntry.objects.get(kind="erasure")
    assert (entry.actor, entry.subject) == (f"user:{ai_owner.pk}", f"ticket:{decided.pk}")


@pytest.mark.parametrize("answer", ["", "no", EOFError])
def test_nothing_goes_without_a_yes(
    answer: Any, decided: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(prompt: str) -> str:
        if answer is EOFError:
            raise EOFError
        return str(answer)

    monkeypatch.setattr("builtins.input", asked)

    with pytest.raises(CommandError, match="Nothing was erased"):
        run("--requester", ANN)
    assert Ticket.objects.get().requester == ANN


def test_a_yes_is_enough(decided: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")

    run("--requester", "Ann@Example.org")

    assert Ticket.objects.get().requester == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--source", "nowhere", "--requester", ANN], "no source 'nowhere'; known: desk"),
        (["--ticket", "A-1"], "Name the source"),
        (["--requester", " "], "one of the two"),
        (["--requester", ANN, "--by", "nobody"], "no such active user"),
        (["--requester", ANN, "--ticket", "A-1"], "not allowed with"),
        ([], "one of the arguments"),
    ],
)
def test_what_cannot_be_meant_is_refused(args: list[str], said: str, source: Source) -> None:
    with pytest.raises(CommandError, match=said):
        run(*args)


def test_nothing_to_erase_is_said(source: Source) -> None:
    assert "There is nothing to erase." in run("--requester", "nobody@example.org", "--yes")
    assert not LedgerEntry.objects.filter(kind="erasure").exists()


# --- The page -------------------------------------------------------------------------------
def page(ticket: Ticket) -> str:
    """The address that the button of the ticket's page leads to."""
    html = signed_in(new_user("seer", AI_OWNER)).get(
        reverse("admin:triage_ticket_change", args=[ticket.pk])
    )
    link: str = reverse("admin:triage_ticket_erase", args=[ticket.pk])
    assert link in html.content.decode()
    return link


def test_only_ai_owners_may_erase(decided: Ticket) -> None:
    link = page(decided)
    people = {role: new_user(f"a-{role[:4]}", role) for role in (AI_OWNER, TEAM_LEAD, AUDITOR)}
    people[TECHNICIAN] = new_user("a-tech", TECHNICIAN, is_staff=True)

    found = {role: signed_in(user).get(link).status_code for role, user in people.items()}
    posted = [
        signed_in(people[role]).post(link, {"extent": "ticket", "reference": "x"}).status_code
        for role in (TEAM_LEAD, AUDITOR, TECHNICIAN)
    ]

    assert found == {AI_OWNER: 200, TEAM_LEAD: 403, AUDITOR: 403, TECHNICIAN: 403}
    assert posted == [403, 403, 403]
    assert Ticket.objects.get().requester == ANN


def test_the_page_asks_and_says_how_much_it_is(decided: Ticket, ai_owner: User) -> None:
    new_ticket(decided.source, requester=ANN)

    html = signed_in(ai_owner).get(page(decided)).content.decode()

    assert "It cannot be undone." in html
    assert "This ticket: tickets: 1, " in html
    assert f"{ANN} in Desk: tickets: 2, " in html
    assert Ticket.objects.filter(erased_at__isnull=True).count() == 2


def test_an_owner_erases_one_ticket_or_all_of_the_requester(
    decided: Ticket, ai_owner: User, make_source: Callable[..., Source]
) -> None:
    other = new_ticket(decided.source, requester=ANN)
    elsewhere = new_ticket(make_source(), requester=ANN)
    desk = signed_in(ai_owner)

    desk.post(page(decided), {"extent": "ticket", "reference": "DSR-17"})
    first = set(Ticket.objects.filter(erased_at__isnull=False))
    answer = desk.post(
        reverse("admin:triage_ticket_erase", args=[other.pk]),
        {"extent": "everywhere", "reference": "DSR-17"},
        follow=True,
    )

    assert first == {decided}
    assert set(Ticket.objects.filter(erased_at__isnull=False)) == {decided, other, elsewhere}
    assert "Erased. Tickets: 2" in answer.content.decode()
    logged = LogEntry.objects.order_by("pk").first()
    assert logged is not None
    assert "DSR-17" in logged.change_message
    assert traces.in_database(CANARIES) == {}


@pytest.mark.parametrize("reference", ["asked by ANN", f"mail of {ANN}", f"Mrs {NAME}"])
def test_a_reference_that_names_the_requester_is_refused(
    reference: str, decided: Ticket, ai_owner: User
) -> None:
    html = signed_in(ai_owner).post(page(decided), {"extent": "ticket", "reference": reference})

    assert "It names the requester" in html.content.decode()
    assert Ticket.objects.get().requester == ANN


def test_without_a_reference_nothing_is_erased(decided: Ticket, ai_owner: User) -> None:
    signed_in(ai_owner).post(page(decided), {"extent": "ticket"})

    assert Ticket.objects.get().requester == ANN


# --- What was shown before ------------------------------------------------------------------
def test_every_page_that_showed_the_words_says_that_they_are_erased(
    decided: Ticket, source: Source, technician: User
) -> None:
    similar = new_ticket(source, subject="VPN tunnel")
    pages = shown(decided, similar, technician)
    before = {name: found(text) for name, text in pages.items()}

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    after = shown(decided, similar, technician)
    assert all(before.values()), before
    assert {name: found(text) for name, text in after.items()} == dict.fromkeys(after, set())
    for name in ("ticket", "history", "desk: tickets", "desk: ticket", "desk: decisions"):
        assert "(erased)" in after[name], name
    assert "was erased on" in after["ticket"]
    assert '"erased_at":"20' in after["api: ticket"]


def found(text: str) -> set[str]:
    return traces.in_bytes(text.encode(), CANARIES)


def shown(ticket: Ticket, other: Ticket, technician: User) -> dict[str, str]:
    """Pages and answers that show the ticket, by name; the other's page lists it as similar."""
    superuser = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser(
        "root"
    )
    proposal = ticket.proposals.get()
    Proposal.objects.update_or_create(
        ticket=other,
        ticket_version=other.versions.get(),
        defaults={"route": "review", "similar": [{"ticket": ticket.pk, "similarity": 0.5}]},
    )
    pages = {
        "ticket": f"/tickets/{ticket.pk}/",
        "similar": f"/tickets/{other.pk}/",
        "history": "/history/",
        "api: tickets": "/api/v1/tickets/",
        "api: ticket": f"/api/v1/tickets/{ticket.pk}/",
        "api: decisions": "/api/v1/decisions/",
    }
    desk = {
        "desk: tickets": reverse("admin:triage_ticket_changelist"),
        "desk: ticket": reverse("admin:triage_ticket_change", args=[ticket.pk]),
        "desk: decisions": reverse("admin:review_decision_changelist"),
        "desk: decision": reverse(
            "admin:review_decision_change", args=[Decision.objects.get(proposal=proposal).pk]
        ),
        "desk: proposals": reverse("admin:triage_proposal_changelist"),
        "desk: effect": reverse(
            "admin:triage_effect_change", args=[ticket.effects.get(kind="note").pk]
        ),
        "desk: delivery": reverse(
            "admin:triage_delivery_change", args=[ticket.versions.get().delivery_id]
        ),
    }
    texts = {}
    for client, addresses in ((signed_in(technician), pages), (signed_in(superuser), desk)):
        for name, address in addresses.items():
            answer = client.get(address)
            assert answer.status_code == 200, name
            texts[name] = answer.content.decode()
    return texts
