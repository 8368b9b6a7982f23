"""Signing in as somebody, for tests of the pages."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def as_(client: Client) -> Callable[[User], Client]:
    """With the backend of the service, which reads a person and their permissions at once."""

    def sign_in(user: User) -> Client:
        client.force_login(user, "review.accounts.People")
        return client

    return sign_in
