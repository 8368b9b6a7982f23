"""Fields and their choices: the helpdesk's live catalogue."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, ManyToOneRel, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from triage.admin.base import PolicyAdmin
from triage.admin.forms import AnyModelForm, LinesField, offer
from triage.admin.theme import action, display
from triage.admin.training_entry import TrainingEntry
from triage.models import Choice, Field, Source
from triage.waiting import rank_again


@admin.register(Field)
class FieldAdmin(TrainingEntry, PolicyAdmin):
    ledger_subject = "field"
    ledger_fields = (
        "source",
        "key",
        "position",
        "is_ordered",
        "is_main",
        "propose_from",
        "scope_from",
        "settle_from",
    )
    list_display = ["name", "key", "source", "is_main", "is_ordered", "position", "live_choices"]
    list_display_links = ["name"]
    list_filter = ["source", "is_main", "is_ordered"]
    list_select_related = ["source"]
    search_fields = ["name", "key", "source__name"]
    actions_detail = ["train"]
    fieldsets = [
        (None, {"fields": ["source", "key", "name", "position"]}),
        (
            "What it is for",
            {
                "fields": ["is_main", "is_ordered"],
                "description": "One field of a source is the main one; workflows, reports and "
                "playbooks go by it.",
            },
        ),
        (
            "When the model is in doubt",
            {
                "fields": ["propose_from", "scope_from", "settle_from"],
                "description": "A value left open waits in the queue like any other, and says why. "
                "Nothing of this ever makes a ticket automatic.",
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Field]:
        live = Q(choices__retired_at__isnull=True)
        rows: QuerySet[Field] = super().get_queryset(request)
        return rows.annotate(live=Count("choices", filter=live))

    def get_readonly_fields(self, request: HttpRequest, obj: Field | None = None) -> list[str]:
        """Tickets, rules and models hold the key; it stays."""
        return ["source", "key"] if obj else []

    def save_model(self, request: HttpRequest, obj: Field, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_ordered" in form.changed_data:
            rank_after_commit(obj.source)

    @display(description="Choices", ordering="live")
    def live_choices(self, field: Any) -> int:
        return int(field.live)


def rank_after_commit(source: Source) -> None:
    """Not with the change itself: what waits is locked for as short as can be."""
    transaction.on_commit(lambda: rank_again(source))


class ChoiceForm(AnyModelForm):
    """Parent and what follows are offered once the field is known: after the first save."""

    synonyms = LinesField(
        required=False, help_text="Other words for it, one a line. They help the search."
    )

    class Meta:
        model = Choice
        fields = "__all__"  # noqa: DJ007

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        field = self.instance.field
        offer(self, "parent", field.choices.exclude(pk__in=branch(self.instance)))
        others = Choice.objects.filter(field__source=field.source_id, retired_at__isnull=True)
        offer(self, "implies", others.exclude(field=field).select_related("field"))
        if "implies" in self.fields:
            self.fields["implies"].label_from_instance = (  # type: ignore[attr-defined]  # of rows
                lambda choice: f"{choice.field.name}: {choice.name}"
            )

    def clean_implies(self) -> Any:
        """Two teams cannot both follow from one category."""
        chosen = self.cleaned_data["implies"]
        fields = [choice.field.name for choice in chosen]
        if twice := sorted({name for name in fields if fields.count(name) > 1}):
            raise forms.ValidationError(
                f"One choice of a field can follow; {', '.join(twice)} has several."
            )
        return chosen


def branch(choice: Choice) -> set[int]:
    """The choice and everything below it: none of them can be its parent."""
    below: dict[int | None, list[int]] = {}
    for pk, parent in choice.field.choices.values_list("pk", "parent"):
        below.setdefault(parent, []).append(pk)
    found, ahead = {choice.pk}, [choice.pk]
    while ahead:
        children = set(below.get(ahead.pop(), [])) - found
        found |= children
        ahead += children
    return found


class RetiredFilter(admin.EmptyFieldListFilter):
    """Live or retired."""

    def choices(self, changelist: Any) -> Any:
        words = {"1": "live", "0": "retired"}
        for option, value in zip(super().choices(changelist), (None, "1", "0"), strict=True):
            yield {**option, "display": words.get(str(value), option["display"])}


@admin.register(Choice)
class ChoiceAdmin(PolicyAdmin):
    form = ChoiceForm
    ledger_subject = "choice"
    ledger_fields = ("field", "key", "parent", "rank", "target_minutes", "retired_at")
    list_display = ["name", "key", "field_of_source", "parent", "rank", "state"]
    list_filter = [
        "field__source",
        ("field", AutocompleteSelectFilter),
        ("retired_at", RetiredFilter),
    ]
    list_select_related = ["field__source", "parent"]
    search_fields = ["name", "key", "field__name"]
    autocomplete_fields = ["field"]
    actions = ["retire", "bring_back"]
    fieldsets = [
        (None, {"fields": ["field", "key", "name", "description", "synonyms", "rank"]}),
        (
            "What belongs together",
            {
                "fields": ["parent", "implies"],
                "description": "A rule about the parent also meets this choice.",
            },
        ),
        ("State", {"fields": ["retired_at"]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "fields": ["field", "key", "name", "description", "synonyms", "rank"],
                "description": "Its parent and what follows from it can be set once it is saved.",
            },
        )
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Choice | None = None) -> list[str]:
        return ["field", "key", "retired_at"] if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: Choice | None = None) -> Any:
        """Only priorities have a target."""
        fieldsets = list(super().get_fieldsets(request, obj))
        if obj is None or not obj.field.is_ordered:
            return fieldsets
        target = {
            "fields": ["target_minutes"],
            "description": "What waits is put in its new order as soon as this, or the rank, is "
            "saved.",
        }
        return [fieldsets[0], ("When a person should have looked", target), *fieldsets[1:]]

    def save_model(self, request: HttpRequest, obj: Choice, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and obj.field.is_ordered and {"rank", "target_minutes"} & {*form.changed_data}:
            rank_after_commit(obj.field.source)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What nothing refers to may be deleted by those who may; all else is retired."""
        may = request.user.has_perm("triage.delete_choice")
        return may and isinstance(obj, Choice) and not is_referenced(obj)

    @display(description="Field", ordering="field__name")
    def field_of_source(self, choice: Choice) -> str:
        return f"{choice.field.name} · {choice.field.source}"

    @display(description="State", label={"live": "success", "retired": "warning"})
    def state(self, choice: Choice) -> str:
        return "retired" if choice.retired_at else "live"

    @action(description="Retire: never proposed again", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Choice]) -> None:
        self._turn(request, queryset.filter(retired_at__isnull=True), retired=True)

    @action(description="Bring back", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Choice]) -> None:
        self._turn(request, queryset.filter(retired_at__isnull=False), retired=False)

    @transaction.atomic
    def _turn(self, request: HttpRequest, rows: QuerySet[Choice], *, retired: bool) -> None:
        event = "retired" if retired else "brought back"
        found = list(rows.select_for_update(of=("self",)))
        for choice in found:
            choice.retired_at = timezone.now() if retired else None
            choice.save(update_fields=["retired_at"])
            self.log_change(request, choice, event)
        self.message_user(request, f"{len(found)} {event}.")


def is_referenced(choice: Choice) -> bool:
    """Whether a row of any table points at it; what follows from it does not count."""
    pointing = (
        relation.field
        for relation in Choice._meta.get_fields(include_hidden=True)
        if isinstance(relation, ManyToOneRel) and relation.field.name != "from_choice"
    )
    return any(
        field.model._base_manager.filter(**{field.name: choice}).exists() for field in pointing
    )
