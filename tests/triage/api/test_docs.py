"""The examples of docs/api.md work as they stand, but for the address and the secret."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.conftest import INBOUND_SECRET
from triage.models import Delivery, Source, SourceSecret, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

DOCS = Path(__file__).resolve().parents[3] / "docs"
CODED_SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def example(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", (DOCS / "api.md").read_text(), re.DOTALL)
    return str(block)


@pytest.fixture
def source(make_source: Callable[..., Source], make_secret: Callable[..., SourceSecret]) -> Source:
    source = make_source(slug="norvik")
    make_secret(source, CODED_SECRET)
    return source


def filled_in(text: str, server: LiveServer, secret: str) -> str:
    text = text.replace("https://countersign.example.org", server.url)
    return text.replace("the inbound secret of the source", secret)


@pytest.mark.parametrize("secret", [INBOUND_SECRET, CODED_SECRET])
def test_the_python_example_delivers_a_ticket(
    live_server: LiveServer, source: Source, work: Callable[[], int], secret: str
) -> None:
    exec(compile(filled_in(example("python"), live_server, secret), "api.md", "exec"), {})
    work()

    ticket = Ticket.objects.get()
    assert (ticket.external_id, ticket.requester_name) == ("48209", "Ann Weber")
    assert ticket.values == {"priority": "normal"}


@pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("curl")), reason="openssl or curl is missing"
)
@pytest.mark.parametrize("secret", [INBOUND_SECRET, CODED_SECRET])
def test_the_shell_example_delivers_an_event(
    live_server: LiveServer, source: Source, secret: str
) -> None:
    script = filled_in(example("sh"), live_server, secret)

    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=60)

    delivery = Delivery.objects.get()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'{{"delivery":{delivery.pk}}}'
    assert b'"ticket_id": "48209"' in bytes(delivery.body)
