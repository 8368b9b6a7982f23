"""What a new source has out of the box: category, team and priority."""

from django.db import transaction

from triage.models import Choice, Field, Source

FIELDS: tuple[tuple[str, str, dict[str, bool]], ...] = (
    ("category", "Category", {"is_main": True}),
    ("team", "Team", {}),
    ("priority", "Priority", {"is_ordered": True}),
)
PRIORITIES = (("low", "Low"), ("normal", "Normal"), ("high", "High"), ("urgent", "Urgent"))


@transaction.atomic
def give_standard_fields(source: Source) -> list[Field]:
    """Make the standard fields of a source that has none; otherwise nothing.

    Categories and teams are the helpdesk's own and stay empty; priorities start with four.
    """
    if source.fields.exists():
        return []
    made = [
        Field.objects.create(source=source, key=key, name=name, position=position, **kind)
        for position, (key, name, kind) in enumerate(FIELDS)
    ]
    Choice.objects.bulk_create(
        Choice(field=made[-1], key=key, name=name, rank=rank)
        for rank, (key, name) in enumerate(PRIORITIES, 1)
    )
    return made
