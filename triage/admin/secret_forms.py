"""Secrets of sources: taken in, sealed, and never shown again."""

import base64
import binascii
import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from triage.admin.forms import AnyModelForm
from triage.models import SourceSecret

PREFIX = "whsec_"
MADE_BYTES = 32
# What we or the other side signs with; a token for writing back has the helpdesk's own form.
SIGNING = frozenset({SourceSecret.Purpose.INBOUND, SourceSecret.Purpose.AUTOMATION})


def make() -> str:
    """A new signing secret in the form of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(MADE_BYTES)).decode()


def check_signing(value: str) -> None:
    """ValidationError unless the key has enough bytes: base64 after whsec_, else as typed."""
    if value.startswith(PREFIX):
        try:
            key = base64.b64decode(value.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise ValidationError(f"What follows {PREFIX} must be base64; it is not.") from None
    else:
        key = value.encode()
    if len(key) < settings.WEBHOOK_SECRET_SHORTEST_BYTES:
        raise ValidationError(
            f"A signing secret must have at least {settings.WEBHOOK_SECRET_SHORTEST_BYTES} bytes; "
            f"this one has {len(key)}."
        )


class SecretForm(AnyModelForm):
    # Not called `value`: a read-only page would then look for it on the row, and open the seal.
    new_secret = forms.CharField(
        label="Secret",
        max_length=500,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text=(
            f"Stored sealed and never shown again. A signing secret has at least "
            f"{settings.WEBHOOK_SECRET_SHORTEST_BYTES} bytes: {PREFIX} and base64, or plain text."
        ),
    )

    class Meta:
        model = SourceSecret
        fields = ["source", "purpose"]
        widgets = {"purpose": UnfoldAdminSelectWidget()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        value = cleaned.get("new_secret")
        if value and cleaned.get("purpose") in SIGNING:
            try:
                check_signing(value)
            except ValidationError as error:
                self.add_error("new_secret", error)
        return cleaned

    def save(self, commit: bool = True) -> SourceSecret:
        self.instance.put(self.cleaned_data["new_secret"])
        row: SourceSecret = super().save(commit)
        return row
