"""The theme's classes and decorators with types: the library has none."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import unfold.admin
import unfold.decorators
import unfold.views
import unfold.widgets
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList as DjangoChangeList
from django.contrib.admin.widgets import AdminTextareaWidget
from unfold.enums import ActionVariant

Function = TypeVar("Function", bound=Callable[..., Any])

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    ChangeList = DjangoChangeList
    Textarea = AdminTextareaWidget
else:
    ModelAdmin = unfold.admin.ModelAdmin
    TabularInline = unfold.admin.TabularInline
    ChangeList = unfold.views.ChangeList
    Textarea = unfold.widgets.UnfoldAdminTextareaWidget


def display(
    *,
    description: str,
    ordering: str | None = None,
    boolean: bool | None = None,
    label: Mapping[Any, str] | None = None,
) -> Callable[[Function], Function]:
    """`label` maps a shown text to a colour: success, info, warning, danger, primary, default."""
    made = unfold.decorators.display(
        description=description, ordering=ordering, boolean=boolean, label=label
    )
    return cast(Callable[[Function], Function], made)


def action(
    *,
    description: str,
    permissions: Sequence[str],
    url_path: str | None = None,
    icon: str | None = None,
    variant: ActionVariant = ActionVariant.DEFAULT,
) -> Callable[[Function], Function]:
    """Permissions name has_..._permission methods: dotted ones make system checks query."""
    made = unfold.decorators.action(
        description=description,
        permissions=permissions,
        url_path=url_path,
        icon=icon,
        variant=variant,
    )
    return cast(Callable[[Function], Function], made)
