"""That the bench would notice a count that is not what the rows say."""

import pytest
from django.db.models import F, Model

from bench.speed import recounted
from review.metrics import rollups
from review.models import Decision, NoveltyCount, ResolveCount, StoryCount, TicketStory
from tests.review.metrics.play import Play
from triage.models import TicketEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def played() -> None:
    play = Play(3)
    for _ in range(60):
        play.act()
    rollups.catch_up()


def test_what_was_kept_equals_a_full_count(played: None) -> None:
    differ, rows = recounted.differences()

    assert (differ, rows > 20) == (0, True)


@pytest.mark.parametrize(
    ("model", "name"),
    [(StoryCount, "rework"), (ResolveCount, "n"), (TicketStory, "reassigned"), (NoveltyCount, "n")],
)
def test_one_wrong_row_of_any_table_is_noticed(played: None, model: type[Model], name: str) -> None:
    # The last row of a table of counts is a month's.
    row = model._base_manager.latest("pk")
    model._base_manager.filter(pk=row.pk).update(**{name: F(name) + 1})

    assert recounted.differences()[0] > 0


def test_what_happens_in_the_bench_is_counted(played: None) -> None:
    for _ in range(2):
        recounted.happen(1)
    assert TicketEvent.objects.filter(key__startswith="late").exists()
    assert not Decision.objects.filter(verdict=Decision.Verdict.ACCEPTED).exists()
    rollups.catch_up()

    assert recounted.differences()[0] == 0
