"""Patterns made to take for ever, as words of rules, and texts of 100 KB made for our own."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from random import Random
from typing import Any

from bench import invariant
from bench.chaos.payloads import spread
from bench.checks import Check, Result
from bench.load import Sender, ticket
from bench.stack import Stack
from bench.world import new_desk
from triage.learning.text import document
from triage.models import EscalationRule, Job, Proposal, RuleHit, RuleVersion
from triage.policy.conditions import Facts, check, matches
from triage.policy.words import Words

SEED = 20_260_302
TEXT_BYTES = 100_000
MOST_SECONDS = 0.2
QUIET_SECONDS = 300.0
PATTERNS_A_RULE = 10

ATOMS = ("a", "[a-z]", r"\w", ".", r"\s", "(?:a|a)", "(?:a|aa)", r"\d", r"(?:.|\n)", "ä")
NESTS = (
    "({a}+)+$", "({a}*)*$", "({a}+)*b", "^({a}|{a})*$", "({a}{{1,50}}){{1,50}}x", "(?:{a}*){{40}}z",
    "^(?=({a}+)+$)", "{a}*{a}*{a}*{a}*b", "({a}+?)+?c", r"(?i:({a}*)+)\1", "((({a}+)+)+)+!",
    "({a}|b|ab)*c", "^(({a})*)*$", "(.*{a}){{20}}", "{a}{{1,1000}}{{1,1000}}",
)  # fmt: skip
ODD = (
    "(", ")", "[", "*", "+", "?", "|", "||||", "\\", "^$", "(?", "(?#", "[[:alpha:]]+", r"\p{L}+",
    "(?R)", "(?P<n>x)(?P=n)", "(?<=a+)b", "(?(1)a|b)", r"\1", r"\k<n>", "[z-a]", "a{999999999}",
    "a{2,1}", "", " ", "a" * 80, "a" * 81, "a " * 40, "%" * 80, "%_%_%_%", "a & b | !c",
    "a <-> b:*", "'", '"', "''", "\x00", "a\x00", "\ud800", "\n", "\u0301" * 40,
    "a" + "\u0301\u0323" * 39, "\u202eabc", "ﬃ" * 80, "\ufdfa" * 80, "ſ", "İ" * 40, "ß" * 80,
    "ﾞ" * 79, "😀", "😀a", "..*..*..*=..*", r"^(\S+\s?)+$",
    r"^([a-zA-Z0-9_.\-])+@(([a-zA-Z0-9\-])+\.)+([a-zA-Z0-9]{2,4})+$", r"(\d+)*\.(\d+)*\.(\d+)*$",
    r"^(https?://)?([\da-z.-]+)\.([a-z.]{2,6})([/\w .-]*)*/?$", "x" * 100_000,
)  # fmt: skip
# What fills a text, one kind after another: what patterns love, and what folding has to sort.
FILLINGS = (
    "a", "aaaa ", " ", "\n", "1", "ab", "ä", "a\u0301\u0323", "\u0345\u0301\u0327", "\u05b0\u0591",
    "ﾞ\u093c", "\ufdfa", "\u321d", "한", "😀", "İ", "ſ", "x=", "a@", "a.",
)  # fmt: skip
# Pieces of what `document` looks for: quotes, signatures, addresses, numbers of every kind.
BITS = (
    "On a ", "Am x schrieb ", "schrieb:\n", "wrote:\n", "escribió: ", "El x  escribió: ", "From:\n",
    "From: a\nSent: b\n", "Von: ", "> ", ">\n", "\n> a\n", "-- \n", "--\n", "__", "_", "\n", " \n",
    "\t\n", "Best regards\n", "Thanks,\n", "Sent from my ", "Gesendet von ", "CAUTION: mail\n",
    "disclaimer ", "original message\n", "* ", "- ", "1 ", "1.", "1-", "1:", "(1", "+1", "0",
    "12345678901", "4111 ", "AB12 ", "AB12", "DE89370400440532013000", "a:", "::", "f:", "1::1 ",
    "a@", "@a.a", "a.a", "a@a.", "http://", "http://a@", "http://a/", "a-", "a_", "a-1", "%", "'",
    "\u200b", "\u0301", "é", "ß", "İ", "😀", "\r", "\r\n", "\x0b", "\u2028", "word ", "\u00a0",
)  # fmt: skip


@dataclass
class Slowest:
    """The longest that one kind of work has kept a processor busy, and with what."""

    seconds: float = 0.0
    what: str = ""

    def time(self, work: Callable[[], object], what: str) -> None:
        took = _busy_seconds(work)
        if took >= MOST_SECONDS:
            # Once more and again: another process may have had the caches.
            took = min(took, _busy_seconds(work), _busy_seconds(work))
        if took > self.seconds:
            self.seconds, self.what = took, what

    @property
    def is_quick(self) -> bool:
        return self.seconds < MOST_SECONDS

    def __str__(self) -> str:
        said = f"{1000 * self.seconds:.0f} ms"
        return said if self.is_quick else f"{said} ({self.what[:60]!r})"


def evil_patterns(stack: Stack, *, patterns: int, tickets: int) -> Result:
    """Each pattern is refused in a sentence, or is plain words that 100 KB are searched for."""
    stack.up()
    texts = [filled(filling) for filling in FILLINGS]
    matching = Slowest()
    refused: list[str] = []
    taken: list[str] = []
    wrong: list[str] = []
    for number, pattern in enumerate(spread(list(evil()), patterns)):
        condition = _has(pattern)
        if problems := check([condition], {}):
            refused.append(pattern)
            is_clear = all(said.startswith("Condition 1: words_any: ") for said in problems)
            wrong += [] if is_clear else [pattern]
            continue
        taken.append(pattern)
        for text in (texts[number % len(texts)], filled(pattern)):
            matching.time(partial(_ask, condition, text), pattern)
        wrong += [] if _ask(condition, f"before {pattern} after") else [pattern]
    # One ticket really has what a rule looks for.
    sent = [*texts[:tickets], f"before {taken[0]} after"]
    proposed, hits, dead = _through_the_worker(stack, taken, sent)
    return Result(
        passed=not wrong and matching.is_quick and not dead and proposed == len(sent) and hits > 0,
        figure=f"{len(refused)} refused, {len(taken)} plain words; slowest {matching} in "
        f"100 KB; {proposed} tickets proposed, {hits} rules hit, {dead} dead letters"
        + (f"; wrong: {wrong[0]!r}" if wrong else ""),
    )


def evil_texts(stack: Stack, *, mixes: int) -> Result:
    """100 KB made for the patterns and the folding that every ticket goes through."""
    cleaning, folding = Slowest(), Slowest()
    document("", "From: warm\nwrote:\n")
    texts = [filled(bit) for bit in (*BITS, *FILLINGS)]
    texts += [_mixed(Random(f"{SEED}:{number}")) for number in range(mixes)]
    for text in texts:
        # The marker keeps the reader of replies from being spared.
        cleaning.time(partial(document, text, f"{text[:8_000]}\nwrote:\n{text}"), text)
        cleaning.time(partial(document, text, text), text)
        folding.time(partial(Words.of, text), text)
    return Result(
        passed=cleaning.is_quick and folding.is_quick,
        figure=f"{len(texts)} texts of 100 KB; slowest to clean and mask {cleaning}, "
        f"to fold into words {folding}",
    )


def evil() -> Iterator[str]:
    """More than 200 patterns: every nest around every atom, and odd ones."""
    for nest, atom in product(NESTS, ATOMS):
        yield nest.format(a=atom)
    yield from ODD


def filled(filling: str) -> str:
    """Up to 100 KB of UTF-8: the filling over and over, and an end that fits nothing."""
    times = TEXT_BYTES // max(1, len(filling.encode(errors="surrogatepass"))) + 1
    whole = (filling * times).encode(errors="replace")[: TEXT_BYTES - 1]
    return f"{whole.decode(errors='ignore')}!"


def _mixed(rng: Random) -> str:
    """Stretches of a few bits, so that one pattern's work is undone by another's."""
    bits = rng.sample(BITS, rng.choice((2, 3, 5)))
    return filled("".join(bit * rng.choice((1, 3, 50, 2_000)) for bit in bits))


def _has(pattern: str) -> dict[str, Any]:
    return {"kind": "words_any", "words": [pattern], "where": "either"}


def _ask(condition: dict[str, Any], text: str) -> bool:
    """As for a ticket that no rule was asked about yet."""
    facts = Facts(
        subject=text[:300],
        body=text,
        requester="",
        values={},
        parents={},
        ranks={},
        probabilities={},
        age_minutes=0.0,
        reopened_count=0,
        in_working_hours=True,
    )
    return matches("any", [condition], facts)


def _busy_seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _through_the_worker(
    stack: Stack, taken: Sequence[str], texts: Sequence[str]
) -> tuple[int, int, int]:
    """Rules of all that was taken, asked by the worker: proposals, hits and dead letters."""
    desk = new_desk()
    for start in range(0, len(taken), PATTERNS_A_RULE):
        rule = EscalationRule.objects.create(
            source=desk.source, owner=desk.source.owner, name=f"Rule {start}", position=start
        )
        RuleVersion.objects.create(
            rule=rule,
            number=1,
            author=rule.owner,
            conditions=[{**_has(""), "words": list(taken[start : start + PATTERNS_A_RULE])}],
            actions=[{"kind": "hold"}],
        )
    dead = Job.objects.filter(dead_at__isnull=False).count()
    sender = Sender(stack.url, desk)
    for number, text in enumerate(texts):
        # Not escaped: 100 KB would be more than a body may have.
        message = json.dumps(ticket(number, subject=text[:300], body=text), ensure_ascii=False)
        sender.post(message.encode())
    invariant.until_quiet(QUIET_SECONDS)
    return (
        Proposal.objects.filter(ticket__source=desk.source).count(),
        RuleHit.objects.filter(proposal__ticket__source=desk.source).count(),
        Job.objects.filter(dead_at__isnull=False).count() - dead,
    )


CHECKS = [
    Check(
        "evil patterns in rules",
        evil_patterns,
        full={"patterns": 0, "tickets": len(FILLINGS)},
        small={"patterns": 20, "tickets": 2},
    ),
    Check("evil texts", evil_texts, full={"mixes": 300}, small={"mixes": 10}),
]
