"""API tokens: shown once when made, revoked by deleting, never readable."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from knox import admin as library_page
from knox.models import AuthToken, get_digest_token
from knox.settings import CONSTANTS, knox_settings
from unfold.widgets import UnfoldAdminSelect2Widget

from triage.admin.base import PolicyAdmin, person
from triage.admin.forms import AnyModelForm
from triage.admin.sources import shown_once
from triage.admin.theme import display


class TokenForm(AnyModelForm):
    class Meta:
        model = AuthToken
        fields = ["user", "expiry"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.token = ""
        if "expiry" in self.fields:
            self.fields["expiry"].required = True
            self.initial.setdefault("expiry", timezone.now() + lasts_by_default())

    def clean_expiry(self) -> Any:
        expiry = self.cleaned_data["expiry"]
        if expiry is not None and expiry <= timezone.now():
            raise ValidationError("The expiry must lie in the future.")
        return expiry

    def save(self, commit: bool = True) -> Any:
        self.instance.digest, self.token = get_digest_token()
        self.instance.token_key = self.token[: CONSTANTS.TOKEN_KEY_LENGTH]
        return super().save(commit)


def lasts_by_default() -> timedelta:
    ttl = knox_settings.TOKEN_TTL
    return ttl if isinstance(ttl, timedelta) else timedelta(days=365)


# The library's page shows digests. Its module is imported above, so that it is registered by
# now whatever the order of the apps, and will not be again.
admin.site.unregister(library_page.models.AuthToken)


@admin.register(AuthToken)
class AuthTokenAdmin(PolicyAdmin):
    form = TokenForm
    ledger_subject = "token"
    list_display = ["user", "created", "expiry", "state"]
    list_filter = ["created", "expiry"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    ordering = ["-created"]
    add_fieldsets = [
        (
            None,
            {
                "fields": ["user", "expiry"],
                "description": "The token acts with the user's rights. It is shown once, on the "
                "next page.",
            },
        )
    ]
    fieldsets = [(None, {"fields": ["user", "created", "expiry", "state"]})]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("knox.delete_authtoken")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            # A token acts for its user: nobody may make one that may do everything.
            users = User.objects.filter(is_active=True)
            may_all = person(request).is_superuser
            kwargs["queryset"] = users if may_all else users.filter(is_superuser=False)
            kwargs["widget"] = UnfoldAdminSelect2Widget()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description="State", label={"live": "success", "expired": "danger"})
    def state(self, token: Any) -> str:
        return "expired" if token.expiry and token.expiry <= timezone.now() else "live"

    def ledger_id(self, row: Any) -> str:
        """The start of its digest: it names the token and opens nothing."""
        return str(row.digest[:16])

    def ledger_values(self, row: Any) -> dict[str, Any]:
        return {"user": row.user_id, "expiry": row.expiry.isoformat()}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        obj.shown_token = form.token

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return shown_once(self, request, row=obj.user, title="The new token", value=obj.shown_token)
