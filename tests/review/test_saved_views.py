"""Filters under a name: whose they are, who sees them, and what cannot be kept."""

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from review import erasure
from review.models import SavedView
from review.roles import TEAM_LEAD
from review.saved_views import MOST_VIEWS
from tests.conftest import new_user
from tests.review.helpers import make_desk, make_proposal, make_reader, make_user
from triage.erasure import Whose

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena(db: None) -> User:
    return make_reader("lena", first_name="Lena", last_name="Vogt")


@pytest.fixture
def window(client: Client, lena: User) -> Client:
    client.force_login(lena, "django.contrib.auth.backends.ModelBackend")
    return client


def of(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def view(owner: User, name: str = "Network", query: str = "category=network", **over: object):  # type: ignore[no-untyped-def]
    return SavedView.objects.create(owner=owner, name=name, query=query, **over)


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_the_present_filter_is_kept_under_a_name(window: Client, lena: User) -> None:
    make_proposal(make_desk())
    assert 'name="query" value="category=network"' in text(window, "/?category=network")

    answer = window.post(
        "/views/save", {"name": " My  network ", "query": "page=3&x=1&category=network"}
    )

    assert (answer.status_code, answer["Location"]) == (302, "/?category=network")
    kept = SavedView.objects.get()
    assert (kept.owner, kept.name, kept.query) == (lena, "My network", "category=network")
    page = text(window, "/?category=network")
    assert 'class="chip on" href="/?category=network" aria-current="true"' in page
    assert 'name="query"' not in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "", "query": "held=1"}, "Give the view a name."),
        ({"name": "\0 ", "query": "held=1"}, "Give the view a name."),
        ({"name": "All", "query": ""}, "This filter narrows nothing"),
        ({"name": "All", "query": "everything=1&page=2"}, "This filter narrows nothing"),
        ({"name": "Network", "query": "held=1"}, "You have a view called “Network” already."),
        (
            {"name": "Long", "query": "&".join(f"category={i}{'é' * 150}" for i in range(20))},
            "This filter is too long",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(
    window: Client, lena: User, form: dict[str, str], words: str
) -> None:
    view(lena)

    answer = window.post("/views/save", form)

    assert answer.status_code == 422
    assert words in unescape(answer.content.decode())
    assert SavedView.objects.count() == 1


def test_nobody_keeps_more_than_thirty(window: Client, lena: User) -> None:
    for number in range(MOST_VIEWS):
        view(lena, name=f"View {number}")

    answer = window.post("/views/save", {"name": "One more", "query": "held=1"})

    assert answer.status_code == 422
    assert "You have 30 views already" in answer.content.decode()


def test_a_shared_view_is_there_for_all_with_its_owners_name(window: Client, lena: User) -> None:
    bob = make_reader("bob", first_name="Bob", last_name="Stone")
    view(bob, name="Bob's own")
    view(bob, name="For all", query="held=1", is_shared=True, is_default=True)

    for page in (text(window, "/"), text(window, "/views/")):
        assert "For all" in page
        assert "shared by Bob Stone" in page
        assert "Bob's own" not in page
    # Begun with by its owner alone.
    assert window.get("/").status_code == 200


def test_only_its_owner_changes_or_deletes_a_view(window: Client, lena: User) -> None:
    bob = make_reader("bob")
    shared, own = view(bob, is_shared=True), view(bob, name="Own")
    form = {"name": "Mine now"}

    assert window.post(f"/views/{shared.pk}/change", form).status_code == 403
    assert window.post(f"/views/{shared.pk}/delete").status_code == 403
    assert window.post(f"/views/{own.pk}/change", form).status_code == 404
    assert window.post(f"/views/{own.pk}/delete").status_code == 404
    assert window.post("/views/99999999999999999999/delete").status_code == 404
    assert {v.name for v in SavedView.objects.all()} == {"Network", "Own"}


def test_its_owner_renames_shares_and_deletes_it(window: Client, lena: User) -> None:
    mine = view(lena)
    view(lena, name="Other")

    taken = window.post(f"/views/{mine.pk}/change", {"name": "Other"})
    window.post(f"/views/{mine.pk}/change", {"name": "Wi-Fi", "shared": "1"})

    assert taken.status_code == 422
    mine.refresh_from_db()
    assert (mine.name, mine.is_shared, mine.query) == ("Wi-Fi", True, "category=network")
    window.post(f"/views/{mine.pk}/delete")
    assert not SavedView.objects.filter(pk=mine.pk).exists()


def test_a_team_lead_stops_the_sharing_and_the_owner_keeps_it(lena: User) -> None:
    shared, own = view(lena, is_shared=True), view(lena, name="Own")
    lead = of(new_user("theo", TEAM_LEAD))
    assert "Stop sharing" in text(lead, "/views/")

    assert of(make_reader("bob")).post(f"/views/{shared.pk}/unshare").status_code == 403
    assert lead.post(f"/views/{own.pk}/unshare").status_code == 404
    assert lead.post(f"/views/{shared.pk}/unshare").status_code == 302

    assert SavedView.objects.filter(owner=lena, is_shared=False).count() == 2


def test_the_queue_begins_with_the_default_and_everything_stays_in_reach(
    window: Client, lena: User
) -> None:
    make_proposal(make_desk())
    mine, other = view(lena), view(lena, name="Held", query="held=1")
    window.post(f"/views/{other.pk}/change", {"name": "Held", "default": "1"})
    window.post(f"/views/{mine.pk}/change", {"name": "Network", "default": "1"})

    assert SavedView.objects.get(is_default=True) == mine
    begun = window.get("/")
    assert (begun.status_code, begun["Location"]) == (302, "/?category=network")
    everything = text(window, "/?everything=1")
    assert "?everything=1" in everything.split('class="rows"')[1]
    assert 'href="/?everything=1">clear' in text(window, "/?category=network")


def test_views_ask_for_a_login_and_the_permission(client: Client, lena: User) -> None:
    mine = view(lena)
    guest = of(make_user("guest"))
    addresses = ["/views/save", f"/views/{mine.pk}/change", f"/views/{mine.pk}/delete"]

    assert client.get("/views/").status_code == 302
    assert guest.get("/views/").status_code == 403
    assert {client.post(address).status_code for address in addresses} == {302}
    assert {guest.post(address).status_code for address in addresses} == {403}
    assert of(lena).get(addresses[0]).status_code == 405


def test_erasing_a_requester_takes_the_views_that_name_them(lena: User) -> None:
    desk = make_desk()
    make_proposal(desk)
    view(lena, name="Ann", query="requester=ann.lind%40example.org")
    view(lena, name="Said", query="q=vpn+%22Ann.Lind%40example.org%22")
    view(lena, name="Joann", query="requester=joann.lind%40example.org")

    report = erasure.erase(Whose(source=desk.source, requester="ann.lind@example.org"), by=None)

    assert [kept.name for kept in SavedView.objects.all()] == ["Joann"]
    assert report.counts.named()[erasure.VIEWS] == 2
