"""Filters of the queue under a name: a person's own, and those that others share."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils.translation import gettext as _

from review.models import SavedView
from review.queue_filter import QueueFilter

MOST_VIEWS = 30
# So many stand above the queue; all of them on the page of views.
TABS_SHOWN = 8
LONGEST_QUERY = 1500
LONGEST_NAME = 60


class ViewRefused(Exception):
    """A view that cannot be kept; the message is for the person."""


@dataclass(frozen=True)
class Tab:
    """A saved view above the queue; `owner` is empty for one's own."""

    name: str
    query: str
    owner: str
    is_default: bool
    is_current: bool


def views_of(person: User) -> QuerySet[SavedView]:
    """One's own, the default first, then what others share, by name."""
    mine_first = Case(When(owner=person, then=Value(0)), default=Value(1))
    return (
        SavedView.objects.filter(Q(owner=person) | Q(is_shared=True))
        .select_related("owner")
        .only(
            "name", "query", "is_shared", "is_default", "owner__username", "owner__first_name",
            "owner__last_name",
        )
        .annotate(place=mine_first)
        .order_by("place", "-is_default", "name", "pk")
    )  # fmt: skip


def tabs_of(person: User, chosen: QueueFilter) -> list[Tab]:
    present = chosen.saved_query
    return [
        Tab(
            name=view.name,
            query=f"?{view.query}",
            owner="" if view.owner == person else _name(view.owner),
            # Somebody else's default is theirs alone.
            is_default=view.is_default and view.owner == person,
            is_current=bool(present) and view.query == present,
        )
        for view in views_of(person)[:TABS_SHOWN]
    ]


def default_query(person: User) -> str:
    """With which filter the person begins, `?` included; empty where they chose none."""
    found = SavedView.objects.filter(owner=person, is_default=True).values_list("query", flat=True)
    return f"?{found[0]}" if found else ""


@transaction.atomic
def save(*, owner: User, name: str, query: str, shared: bool = False) -> SavedView:
    """Keep a filter. Its query is read and written anew, so that nothing else rides along."""
    _one_window_at_a_time(owner.pk)
    if SavedView.objects.filter(owner=owner).count() >= MOST_VIEWS:
        raise ViewRefused(
            _("You have %(most)s views already: delete one first.") % {"most": MOST_VIEWS}
        )
    kept = QueueFilter.read(QueryDict(query)).saved_query
    if not kept:
        raise ViewRefused(_("This filter narrows nothing: choose something first, then save it."))
    if len(kept) > LONGEST_QUERY:
        raise ViewRefused(_("This filter is too long to be kept: leave something out."))
    view = SavedView(owner=owner, query=kept, is_shared=shared)
    return _named(view, name)


def change(view: SavedView, *, name: str, shared: bool, default: bool) -> SavedView:
    """Rename, share, or begin with it; at most one view of a person is their default."""
    with transaction.atomic():
        _one_window_at_a_time(view.owner_id)
        if default and not view.is_default:
            SavedView.objects.filter(owner=view.owner_id, is_default=True).update(is_default=False)
        view.is_shared = shared
        view.is_default = default
        return _named(view, name)


def unshare(view: SavedView) -> None:
    """Take somebody's view from everybody else; its owner keeps it."""
    SavedView.objects.filter(pk=view.pk).update(is_shared=False)


def _one_window_at_a_time(owner: int) -> None:
    """Two windows of one person would each miss the view that the other is about to keep."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=owner)


def _named(view: SavedView, name: str) -> SavedView:
    view.name = " ".join(name.replace("\0", "").split())[:LONGEST_NAME]
    if not view.name:
        raise ViewRefused(_("Give the view a name."))
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise ViewRefused(
            _("You have a view called “%(name)s” already.") % {"name": view.name}
        ) from error
    return view


def _name(owner: User) -> str:
    return owner.get_full_name() or owner.get_username()
