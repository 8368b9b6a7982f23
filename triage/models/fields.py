"""Model fields that behave as the next Django will."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.forms import Field

if TYPE_CHECKING:
    _URLField = models.URLField[str, str]
else:
    # Generic in its type stubs only.
    _URLField = models.URLField


class WebAddressField(_URLField):
    """A URL; a person who leaves the scheme out means https."""

    def formfield(self, **options: Any) -> Field | None:
        return super().formfield(**{"assume_scheme": "https", **options})

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.URLField", args, options
