"""The simulated helpdesk's own pages: plain HTML, so that write-backs can be watched arriving."""

from datetime import UTC, datetime
from html import escape
from typing import Any

from triage.demo.desk import Desk, Ticket

SHOWN = 60
RELOAD_SECONDS = 4

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --mark: #2a6a3a22; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { font-size: 1.25rem; } p, td small { color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left;
  vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
tr.written td { background: var(--mark); }
pre { white-space: pre-wrap; font: inherit; margin: 0; }
article { border: 1px solid var(--line); border-radius: 6px; margin: .8rem 0; padding: .6rem 1rem; }
.sides { display: grid; grid-template-columns: minmax(0, 1fr) 380px; gap: 1.5rem; }
iframe { border: 1px solid var(--line); border-radius: 6px; width: 100%; height: 80vh;
  min-height: 30rem; }
@media (max-width: 60rem) { .sides { display: block; } }
@media (max-width: 40rem) { .wide { display: none; } }
"""


def overview(desk: Desk) -> str:
    """The newest tickets with their values, status and notes; reloads itself."""
    tickets = desk.tickets()
    rows = "".join(_row(ticket) for ticket in tickets[:SHOWN])
    written = sum(bool(ticket["writes"]) for ticket in tickets)
    calls = "".join(
        f"<li>{escape(call['at'][11:19])} UTC: ticket {escape(str(call.get('ticket_id')))}, "
        f"for {escape(str(call.get('requester')))}{_undone(call)}</li>"
        for call in reversed(desk.calls()[-5:])
    )
    return _page(
        "Simulated helpdesk",
        f"<h1>Norvik Freight service desk (simulated)</h1>"
        f"<p>{len(tickets)} tickets, {written} changed by Countersign (shaded), "
        f"{len(desk.outbox())} webhooks waiting to be taken.</p>"
        f"<table><thead><tr><th>No<th>Ticket<th>Values<th>Status<th class=wide>Last note</tr>"
        f"</thead><tbody>{rows}</tbody></table>"
        + (f"<h2>VPN profiles restored by playbook</h2><ul>{calls}</ul>" if calls else ""),
        reload=True,
    )


def one(ticket: Ticket, *, panel: str = "") -> str:
    """One ticket with everything that was written on it, and Countersign's panel beside it."""
    notes = "".join(
        f"<article><p>{escape(note['kind'])}, {escape(_clock(note['at']))}</p>"
        f"<pre>{escape(note['body'])}</pre></article>"
        for note in ticket["notes"]
    )
    told = (
        f"<p><a href='/'>All tickets</a></p><h1>{escape(ticket['subject'])}</h1>"
        f"<p>No {escape(ticket['id'])}, {escape(ticket['status'])}, version {ticket['version']}, "
        f"from {escape(ticket['requester']['name'])}</p>"
        f"<p>{_values(ticket)}</p><article><pre>{escape(ticket['body'])}</pre></article>{notes}"
    )
    if panel:
        frame = f"<iframe src='{escape(panel)}' title='Countersign' referrerpolicy=no-referrer>"
        told = f"<div class=sides><div>{told}</div><aside>{frame}</iframe></aside></div>"
    return _page(f"Ticket {ticket['id']}", told)


def _row(ticket: Ticket) -> str:
    last = ticket["notes"][-1]["body"] if ticket["notes"] else ""
    number = escape(ticket["id"])
    mark = " class=written" if ticket["writes"] else ""
    return (
        f"<tr{mark}><td><a href='/t/{number}'>{number}</a>"
        f"<td>{escape(ticket['subject'])}<br><small>{escape(ticket['requester']['name'])}, "
        f"{escape(_clock(ticket['opened_at']))}</small>"
        f"<td>{_values(ticket)}<td>{escape(ticket['status'])}"
        f"<td class=wide><small>{escape(last[:160])}</small></tr>"
    )


def _values(ticket: Ticket) -> str:
    values: dict[str, Any] = ticket["values"]
    return "<br>".join(f"{escape(key)}: {escape(str(value))}" for key, value in values.items())


def _undone(call: dict[str, Any]) -> str:
    if call.get("undoes"):
        return f", undoing {escape(str(call['undoes']))}"
    return " (undone)" if call.get("undone") else ""


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%d %b %H:%M UTC")


def _page(title: str, content: str, *, reload: bool = False) -> str:
    again = f"<meta http-equiv='refresh' content='{RELOAD_SECONDS}'>" if reload else ""
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"{again}<title>{escape(title)}</title><link rel=stylesheet href='/style.css'></head>"
        f"<body><main>{content}</main></body></html>"
    )
