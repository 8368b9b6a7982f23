"""What PostgreSQL cannot hold as text, found before anything is stored."""


def refuse_unstorable(value: object) -> None:
    """ValueError for NUL and lone surrogates, which PostgreSQL cannot store, at any depth."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("it has a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("it has half a surrogate pair") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key)
            refuse_unstorable(item)
    elif isinstance(value, list):
        for item in value:
            refuse_unstorable(item)
