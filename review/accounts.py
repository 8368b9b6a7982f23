"""Accounts are made by an administrator; nobody signs up. Who they are is read in one query."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, Value
from django.db.models.functions import Concat
from django.http import HttpRequest


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def _permissions() -> ArraySubquery:
    """All that a user of the outer query may do, by themselves or through a group: app.codename."""
    user = OuterRef(OuterRef("pk"))
    own = User.user_permissions.through.objects.filter(user=user)
    groups = Group.permissions.through.objects.filter(group__user=user)
    rows = Permission.objects.filter(
        Q(pk__in=own.values("permission")) | Q(pk__in=groups.values("permission"))
    )
    name = Concat("content_type__app_label", Value("."), "codename")
    return ArraySubquery(rows.order_by().values(whole=name))


class People(AuthenticationBackend):  # type: ignore[misc]
    """A person and their permissions in one query, because every page needs both.

    Django's own backends keep what they have read in the same place, and so ask for nothing more.
    """

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.annotate(may=_permissions()).filter(pk=user_id).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        if not user.is_superuser:
            vars(user)["_perm_cache"] = set(user.may)
        return user

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: Any = None) -> set[str]:
        is_known = "_perm_cache" in vars(user_obj) or user_obj.is_superuser
        if obj is None and user_obj.is_active and not is_known:
            found = User.objects.annotate(may=_permissions()).filter(pk=user_obj.pk)
            vars(user_obj)["_perm_cache"] = {
                name for names in found.values_list("may", flat=True) for name in names
            }
        return set(super().get_all_permissions(user_obj, obj))
