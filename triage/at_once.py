"""Steps of a migration that are taken together, so that the models are drawn up once, not for each.

Django draws up a model and all that it leads to after every step. Fifteen tables with a new index
each cost more in that than in the database, and a new database is made at each first start.
"""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AtOnce(Operation):
    """Of steps that do not need each other: each sees the models before all and after all."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: Sequence[Any]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        drawn_up = state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)
        if drawn_up is not None:
            state.__dict__["apps"] = drawn_up
            changed = {one.model_name_lower: None for one in self.operations}
            state.reload_models([(app_label, name) for name in changed], delay=True)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)
