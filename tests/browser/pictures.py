"""Makes the pictures of the docs, one of every state that people meet. Run by hand:

    .venv/bin/pytest -n 0 tests/browser/pictures.py --pictures docs/images

A new state is a function of states.py, cockpit.py or trouble.py that opens it, and a line in
STATES.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser import cockpit, states, trouble
from tests.browser.conftest import Opener
from tests.browser.stage import Stage
from tests.browser.work_of_a_quarter import workflows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, NARROW = (1440, 900), (360, 780)
LARGEST_BYTES = 120 * 1024
COLOURS = (256, 128, 64, 32)


@dataclass(frozen=True)
class State:
    make: Callable[[Stage], Page]
    schemes: tuple[str, ...] = ("light",)
    sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW)


MAIN = ("light", "dark")
STATES = {
    "queue": State(states.queue, MAIN),
    "ticket": State(states.ticket, MAIN),
    "equal": State(states.equal, MAIN),
    "equal-override": State(states.equal_override),
    "equal-result": State(states.equal_result),
    "held": State(states.held),
    "torn": State(states.torn),
    "override": State(states.override, MAIN),
    "escalate": State(states.escalate),
    "keys": State(states.keys),
    "decided": State(states.decided),
    "history": State(states.history, MAIN),
    "leased": State(cockpit.leased),
    "skip": State(cockpit.skip),
    "skipped": State(cockpit.skipped),
    "place": State(cockpit.place),
    "filtered": State(cockpit.filtered),
    "views": State(cockpit.views),
    "search": State(cockpit.search),
    "undo-offered": State(cockpit.undo_offered, MAIN),
    "undone": State(cockpit.undone),
    "reverse": State(cockpit.reverse),
    "answer-first": State(cockpit.answer_first, MAIN),
    "answered": State(cockpit.answered),
    "practice": State(cockpit.practice),
    "beside": State(cockpit.beside, MAIN),
    "news": State(cockpit.news),
    "concern": State(cockpit.concern),
    "my-concerns": State(cockpit.my_concerns),
    "panel": State(cockpit.panel, MAIN, sizes=(NARROW,)),
    "workflows": State(workflows, MAIN),
    "pause": State(states.pause),
    "pause-at-start": State(states.pause_at_start),
    "break-hint": State(states.break_hint),
    "agreement": State(states.agreement),
    "queue-empty": State(trouble.queue_empty),
    "nothing-matches": State(trouble.nothing_matches),
    "no-model": State(trouble.no_model),
    "untriaged": State(trouble.untriaged),
    "conflict": State(trouble.conflict),
    "superseded": State(trouble.superseded),
    "written-over": State(trouble.written_over),
    "helpdesk-silent": State(trouble.helpdesk_silent),
    "erased": State(trouble.erased),
    "session-ended": State(trouble.session_ended),
    "too-many-tries": State(trouble.too_many_tries),
    "forbidden": State(trouble.forbidden),
    "forbidden-while-open": State(trouble.forbidden_while_open),
    "page-too-old": State(trouble.page_too_old),
    "not-found": State(trouble.not_found),
    "server-gone": State(trouble.server_gone),
    "broken": State(trouble.broken),
    "without-scripts": State(trouble.without_scripts),
    "signing-in": State(trouble.signing_in),
}
SHOTS = [
    (name, size, scheme)
    for name, state in STATES.items()
    for size in state.sizes
    for scheme in state.schemes
]


@pytest.mark.parametrize(("name", "size", "scheme"), SHOTS)
def test_picture(
    request: pytest.FixtureRequest,
    open_window: Opener,
    live_server: LiveServer,
    name: str,
    size: tuple[int, int],
    scheme: str,
) -> None:
    folder = Path(request.config.getoption("--pictures") or pytest.skip("--pictures names none"))
    folder.mkdir(parents=True, exist_ok=True)

    page = STATES[name].make(Stage(open_window, live_server.url, size, scheme))

    dark = "-dark" if scheme == "dark" else ""
    (folder / f"{name}-{size[0]}{dark}.png").write_bytes(small(page.screenshot()))


def small(png: bytes) -> bytes:
    """As many colours as fit into LARGEST_BYTES."""
    whole = Image.open(BytesIO(png)).convert("RGB")
    for colours in COLOURS:
        reduced = whole.quantize(colours, dither=Image.Dither.NONE)
        out = BytesIO()
        reduced.save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST_BYTES:
            break
    return out.getvalue()
