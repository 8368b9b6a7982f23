"""The button that leads from a field, or a version of it, to the form that asks for a training."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from triage.admin.base import DeskAdmin
from triage.admin.theme import action
from triage.models import Field, ModelVersion


class TrainingEntry(DeskAdmin):
    def has_train_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("triage.add_trainingrun")

    @action(description="Train", permissions=["train"], icon="model_training")
    def train(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Field | ModelVersion = self.row(request, object_id)
        field = row.pk if isinstance(row, Field) else row.field_id
        return redirect(f"{reverse('admin:triage_trainingrun_add')}?field={field}")
