"""Steps of migrations that are taken together."""

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from triage.at_once import AtOnce

pytestmark = pytest.mark.django_db
NAMES = {"of_checks", "of_drawn"}


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)", [list(NAMES)])
        return {name for (name,) in cursor.fetchall()}


def test_all_are_taken_and_taken_back_and_the_models_know() -> None:
    steps = AtOnce(
        [
            migrations.AddIndex(of, models.Index(fields=["n"], name=name))
            for of, name in (("checkcount", "of_checks"), ("drawncount", "of_drawn"))
        ]
    )
    before = ProjectState.from_apps(apps)
    assert before.apps is not None
    after = before.clone()
    steps.state_forwards("review", after)

    known = {
        index.name
        for of in ("checkcount", "drawncount")
        for index in after.apps.get_model("review", of)._meta.indexes
    }
    with connection.schema_editor() as editor:
        steps.database_forwards("review", editor, before, after)
    made = indexes()
    with connection.schema_editor() as editor:
        steps.database_backwards("review", editor, after, before)

    assert known >= NAMES
    assert made == NAMES
    assert indexes() == set()
    assert steps.describe() == (
        "Create index of_checks on field(s) n of model checkcount; "
        "Create index of_drawn on field(s) n of model drawncount"
    )
