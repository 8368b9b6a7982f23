"""Rules as rows of inputs: what each kind asks for, and the words for a source's catalogue."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from triage.admin.theme import Textarea
from triage.models import Choice, Field, Source

# Kind -> what it is called, and per argument the input that takes it. An argument of "choice"
# offers the choices of the row's own field, or of the field named after the colon.
CONDITIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "field_is": ("a field is proposed as", {"field": "field", "choice": "choice"}),
    "field_in": ("a field is proposed as one of", {"field": "field", "choices": "choices"}),
    "words_any": ("the text has any of the words", {"words": "lines", "where": "place"}),
    "words_all": ("the text has all of the words", {"words": "lines", "where": "place"}),
    "requester_is": ("the requester is one of", {"addresses": "lines"}),
    "requester_domain": ("the requester's mail domain is", {"domains": "lines"}),
    "priority_at_least": ("an ordered field is at least", {"field": "ordered", "choice": "choice"}),
    "older_than": ("the ticket is older than, in minutes", {"minutes": "number"}),
    "reopened_at_least": ("it was reopened at least, times", {"count": "number"}),
    "probability_below": (
        "the model is less sure than, 0 to 1, of",
        {"field": "field", "value": "number"},
    ),
    "out_of_hours": ("it is outside working hours", {}),
}
ACTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "hold": ("hold the ticket for a human", {}),
    "set_field": ("set a field to", {"field": "field", "choice": "choice"}),
    "raise_priority": (
        "raise an ordered field to at least",
        {"field": "ordered", "choice": "choice"},
    ),
    "route_to": ("route to the team", {"choice": "choice:team"}),
    "notify": ("send a mail to", {"to": "text"}),
}


class RowsWidget(Textarea):
    """A JSON text that a script turns into rows; without the script the JSON is edited itself."""

    template_name = "triage/admin/rows_widget.html"

    class Media:
        js = ["triage/rule_rows.js"]

    def __init__(self, kinds: Mapping[str, tuple[str, Mapping[str, str]]], noun: str) -> None:
        super().__init__({"rows": 6, "spellcheck": "false"})
        self.kinds = kinds
        self.noun = noun
        self.offered: list[dict[str, Any]] = []

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        kinds = [
            {"kind": kind, "label": label, "takes": list(takes.items())}
            for kind, (label, takes) in self.kinds.items()
        ]
        rows = {"kinds": kinds, "fields": self.offered, "noun": self.noun}
        return {**context, "rows": rows, "rows_id": f"{name}-rows"}


def offered(source: Source) -> list[dict[str, Any]]:
    """The fields of a source with their live choices, as the script wants them."""
    choices: dict[int, list[list[str]]] = defaultdict(list)
    live = Choice.objects.filter(field__source=source, retired_at__isnull=True)
    for field, key, name in live.order_by("-rank", "name").values_list("field", "key", "name"):
        choices[field].append([key, name])
    return [
        {
            "key": field.key,
            "name": field.name,
            "ordered": field.is_ordered,
            "choices": choices[field.pk],
        }
        for field in Field.objects.filter(source=source).order_by("position", "key")
    ]


def catalogue(source: Source) -> dict[str, frozenset[str]]:
    """Field key to keys of its live choices, as the policy room checks against."""
    return {
        field["key"]: frozenset(key for key, _ in field["choices"]) for field in offered(source)
    }


def names() -> dict[int, dict[str, str]]:
    """Source id -> names of fields, under key, and of choices, under field:choice; retired too."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for source, key, name in Field.objects.values_list("source", "key", "name"):
        found[source][key] = name
    choices = Choice.objects.order_by().values_list("field__source", "field__key", "key", "name")
    for source, field, key, name in choices:
        found[source][f"{field}:{key}"] = name
    return found
