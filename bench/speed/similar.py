"""How long it takes to find solved tickets that read alike among a million, and which are found."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse as sp
from django.contrib.postgres.search import SearchQuery
from django.db.models import Q
from numpy.typing import NDArray

from bench.speed import solved
from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import Setting
from bench.speed.solved import Writer
from bench.world import new_desk
from triage import similar
from triage.learning.similarity import Frequencies, Weighed, cosine, words
from triage.learning.text import document
from triage.models import Ticket

TIME, GROWTH, RECALL = "similar_vs_50_ms", "similar_million_vs_10k", "similar_recall_vs_newest"
NAMES = (TIME, GROWTH, RECALL)
COMPARED = {
    TIME: "95th percentile of the milliseconds to find the similar tickets of one ticket among a "
    "million solved ones, against 50",
    GROWTH: "median milliseconds to find them among a million, against among ten thousand",
    RECALL: "share of the three nearest by cosine that are found among 50,000, against taking the "
    "newest 50 that share one of the 12 longest words",
}
ALLOWED_MS = 50.0
BATCH = 25
# The way it was done before.
LONGEST_WORDS, NEWEST = 12, 50
FREQUENT = "please help me with the new one"

Asked = Sequence[tuple[Ticket, str]]


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    """All three share what they store. It stays: nothing may be measured after them."""
    setting.stack.up("postgres")
    source, writer, sizes = new_desk().source, Writer(setting), setting.sizes
    _fill(setting, writer, source.pk, 0, sizes.similar_few)
    few = _times(_asked(setting, writer, source.pk))
    _fill(setting, writer, source.pk, sizes.similar_few, sizes.similar_recall)
    recall, recall_note = _recall(_asked(setting, writer, source.pk), source.pk)
    _fill(setting, writer, source.pk, sizes.similar_recall, sizes.similar)
    asked = _asked(setting, writer, source.pk)
    many = _times(asked)
    notes = [_percentiles(many), *_notes(asked), f"{sizes.similar:,} solved tickets"]
    made = {
        TIME: Row(
            TIME, COMPARED[TIME], "ms", [Pair(percentile(many, 0.95), ALLOWED_MS)], notes=notes
        ),
        GROWTH: Row(GROWTH, COMPARED[GROWTH], "ms", [Pair(median(many), median(few))]),
        RECALL: Row(RECALL, COMPARED[RECALL], "of 1", [recall], notes=[recall_note]),
    }
    return [made[name] for name in names]


def _fill(setting: Setting, writer: Writer, source: int, first: int, total: int) -> None:
    began = time.perf_counter()
    with solved.without_word_indexes():
        solved.copy(writer, source, first, total - first)
    similar.forget()
    setting.tell(f"{total:,} solved tickets, after {time.perf_counter() - began:.0f} s")


def _asked(setting: Setting, writer: Writer, source: int) -> list[tuple[Ticket, str]]:
    """Half of them twins of a solved ticket, which they are about; half that nobody has seen."""
    half = setting.sizes.similar_asked // 2
    keys = list(Ticket.objects.filter(source=source).values_list("pk", flat=True))
    rows = Ticket.objects.filter(pk__in=writer.some(keys, half)).values_list(
        "pk", "subject", "body"
    )
    twins = [
        (Ticket(pk=-pk, source_id=source), document(writer.twin(subject), writer.twin(body)))
        for pk, subject, body in rows
    ]
    fresh = [document(*text) for text in writer.texts(half)]
    return [*twins, *((Ticket(pk=0, source_id=source), text) for text in fresh)]


def _times(asked: Asked) -> list[float]:
    """Milliseconds for each alone, after a few that nobody counts."""
    _ask(asked[:BATCH])
    return [_milliseconds(partial(_ask, [one])) for one in asked]


def _ask(asked: Asked) -> None:
    list(similar.solved(asked))


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def _percentiles(times: Sequence[float]) -> str:
    return (
        f"one ticket: median {median(times):.1f} ms, 95 % within {percentile(times, 0.95):.1f}, "
        f"99 % within {percentile(times, 0.99):.1f}, at most {max(times):.1f}"
    )


def _notes(asked: Asked) -> Iterator[str]:
    batches = [asked[start : start + BATCH] for start in range(0, len(asked), BATCH)]
    took = [_milliseconds(partial(_ask, one)) / len(one) for one in batches]
    burst = [asked[0]] * BATCH
    alike = _milliseconds(partial(_ask, burst)) / BATCH
    yield (
        f"{BATCH} together: {median(took):.1f} ms each, {alike:.1f} where all are about the same"
    )
    ticket, longest = asked[0][0], " ".join(text for _, text in asked)[:10_000]
    odd = {"frequent words alone": FREQUENT, "10,000 characters": longest, "no word": ""}
    told = [
        f"{name} {_milliseconds(partial(_ask, [(ticket, text)])):.1f} ms"
        for name, text in odd.items()
    ]
    yield ", ".join(told)
    before = [_milliseconds(partial(_newest, *one)) for one in asked[: 2 * BATCH]]
    yield f"the way before: median {median(before):.1f} ms, at most {max(before):.1f}"


# --- Which are found ------------------------------------------------------------------------


def _recall(asked: Asked, source: int) -> tuple[Pair, str]:
    """Against every solved ticket compared with every other, by the words of all of them."""
    rows = list(Ticket.objects.filter(source=source).values_list("pk", "subject", "body"))
    texts = {pk: document(subject, body) for pk, subject, body in rows}
    exact = Frequencies.of(texts.values(), total=len(texts))
    weighed = {pk: exact.weigh(text) for pk, text in texts.items()}
    third = _third_nearest([exact.weigh(text) for _, text in asked], list(weighed.values()))
    found = [[row["ticket"] for row in rows] for rows in similar.solved(asked)]
    before = [_best(exact.weigh(text), _newest(ticket, text), weighed) for ticket, text in asked]

    def share(answers: Sequence[Sequence[int]]) -> float:
        hits = [
            sum(cosine(exact.weigh(text), weighed[pk]) >= least - 1e-9 for pk in answer)
            for (_, text), answer, least in zip(asked, answers, third, strict=True)
        ]
        return sum(hits) / (similar.SHOWN * len(asked))

    twins = [(-ticket.pk, place) for place, (ticket, _) in enumerate(asked) if ticket.pk]
    note = (
        f"{len(texts):,} solved tickets; of {len(twins)} with a twin, it is shown for "
        f"{sum(pk in found[place] for pk, place in twins)}, the way before for "
        f"{sum(pk in before[place] for pk, place in twins)}"
    )
    # Nothing found is a share too, by which nothing can be divided.
    return Pair(share(found), max(share(before), 0.001)), note


def _third_nearest(asked: Sequence[Weighed], all_: Sequence[Weighed]) -> list[float]:
    numbers: dict[str, int] = {}
    for one in (*all_, *asked):
        for word in one.weights:
            numbers.setdefault(word, len(numbers))
    cosines = (_matrix(asked, numbers) @ _matrix(all_, numbers).T).toarray()
    found: NDArray[np.float64] = np.sort(cosines, axis=1)[:, -similar.SHOWN]
    return [float(one) for one in found]


def _matrix(texts: Sequence[Weighed], numbers: dict[str, int]) -> Any:
    starts = np.cumsum([0, *(len(one.weights) for one in texts)])
    columns = [numbers[word] for one in texts for word in one.weights]
    values = [weight / one.length for one in texts for weight in one.weights.values()]
    return sp.csr_matrix((values, columns, starts), shape=(len(texts), len(numbers)))


def _newest(ticket: Ticket, text: str) -> list[int]:
    longest = sorted(dict.fromkeys(words(text)), key=len, reverse=True)[:LONGEST_WORDS]
    query = SearchQuery(" | ".join(longest), search_type="raw", config="simple")
    found = Ticket.objects.filter(
        Q(search=query), source=ticket.source_id, closed_at__isnull=False
    ).order_by("-closed_at")
    return list(found.values_list("pk", flat=True)[:NEWEST]) if longest else []


def _best(asked: Weighed, keys: Sequence[int], weighed: dict[int, Weighed]) -> list[int]:
    return sorted(keys, key=lambda pk: -cosine(asked, weighed[pk]))[: similar.SHOWN]
