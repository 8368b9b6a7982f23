"""JSON as the operations read it: bounded, UTF-8, and nothing that the database cannot hold."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from triage.api.errors import TooLarge
from triage.storable import refuse_unstorable

DEEPEST = 20


class StrictJson(BaseParser):
    """413 above DATA_UPLOAD_MAX_MEMORY_SIZE; 400 for deep nesting, NaN, NUL and lone surrogates."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        try:
            data = json.loads(content.decode(), parse_constant=_refuse)
            _refuse_depth(data, DEEPEST)
            refuse_unstorable(data)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not usable JSON: {str(error)[:200]}") from None
        return data


def _refuse_depth(value: object, levels: int) -> None:
    """Far below what Python can nest, so that no later step is the one to give up."""
    if not levels:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _refuse_depth(item, levels - 1)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
