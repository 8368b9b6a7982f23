"""Sealing of secrets at rest. The first key seals; all keys open, so that keys can be changed."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretUnreadable(Exception):
    pass


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.COUNTERSIGN_FIELD_KEYS])


def seal(value: str) -> str:
    return _box().encrypt(value.encode()).decode()


def open_sealed(sealed: str) -> str:
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(
            "A stored secret was sealed with a key that COUNTERSIGN_FIELD_KEY no longer lists."
        ) from error
