"""Looking for words wherever a service could have kept them: rows, files, the broker's memory."""

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import redis
from django.contrib.sessions.models import Session
from django.db import connection

COLUMNS = """
    SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1, 2, ordinal_position
"""
ZIPPED = b"PK\x03\x04"
Places = dict[str, set[str]]


def in_database(words: Collection[str]) -> Places:
    """By word (ASCII letters and digits, any case), the table.column of every row that holds it.

    Every column of every table, as text; bytes as the ASCII in them. Sessions are unpacked.
    """
    found: Places = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for schema, table, column, kind in cursor.fetchall():
            name = connection.ops.quote_name(column)
            text = f"encode({name}, 'escape')" if kind == "bytea" else f"{name}::text"
            cursor.execute(
                f"SELECT DISTINCT lower(hit[1]) FROM {_quoted(schema, table)},"
                f" LATERAL regexp_matches({text}, %s, 'gi') AS hit",
                [f"({'|'.join(words)})"],
            )
            for (word,) in cursor.fetchall():
                found[word].add(f"{table}.{column}")
    for session in Session.objects.all():
        for word in in_bytes(str(session.get_decoded()).encode(), words):
            found[word].add("django_session, unpacked")
    return dict(found)


def in_files(paths: Iterable[Path], words: Collection[str]) -> Places:
    """By word, the names of the files that hold it; what is zipped inside a file is unpacked."""
    found: Places = defaultdict(set)
    for path in paths:
        content = path.read_bytes()
        for word in in_bytes(content, words) | in_bytes(unpacked(content), words):
            found[word].add(path.name)
    return dict(found)


def in_broker(url: str, words: Collection[str]) -> Places:
    """By word, the keys of the broker under which it stands, in whatever kind of value."""
    found: Places = defaultdict(set)
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(count=1000):
            value = client.dump(key) or b""
            kept = b"".join([key, value, *_members(client, key)])
            for word in in_bytes(kept, words):
                found[word].add(key.decode(errors="replace"))
    return dict(found)


def in_bytes(content: bytes, words: Collection[str]) -> set[str]:
    """Those of the words (small letters) that stand in it, in whatever case."""
    pattern = "|".join(map(re.escape, words)).encode()
    return {hit.decode().lower() for hit in re.findall(pattern, content, re.IGNORECASE)}


def unpacked(content: bytes) -> bytes:
    """All that a zip archive inside it holds, one after the other; empty if there is none."""
    start = content.find(ZIPPED)
    if start < 0:
        return b""
    with zipfile.ZipFile(io.BytesIO(content[start:])) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def _quoted(schema: str, table: str) -> str:
    return f"{connection.ops.quote_name(schema)}.{connection.ops.quote_name(table)}"


def _members(client: Any, key: bytes) -> list[bytes]:
    """What DUMP would have compressed."""
    match client.type(key):
        case b"string":
            return [client.get(key) or b""]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case _:
            return []
