"""The sets that models are judged on: three public ones, and any CSV file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from triage.learning.text import document
from triage.trials.tables import Columns, TrialRefused, read


@dataclass(frozen=True)
class Dataset:
    """Labelled texts as models see them, the oldest first.

    Attributes
    ----------
    title : for people to read
    official : where its publishers divided it: the first `official` texts are to train on
    strange : texts that belong to none of the labels, to be told apart and never trained on
    notes : sentences on what was left out
    """

    name: str
    title: str
    texts: list[str]
    labels: list[str]
    official: int | None = None
    strange: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def limited(self, most: int, seed: int) -> Dataset:
        """About `most` texts drawn at random, all its parts in proportion, in the old order."""
        if most >= len(self.texts):
            return self
        rng = np.random.default_rng(seed)
        drawn = np.sort(rng.choice(len(self.texts), most, replace=False))
        fewer = -(-len(self.strange) * most // len(self.texts))
        kept = np.sort(rng.choice(len(self.strange), fewer, replace=False)) if fewer else drawn[:0]
        return replace(
            self,
            texts=[self.texts[place] for place in drawn],
            labels=[self.labels[place] for place in drawn],
            official=None if self.official is None else int((drawn < self.official).sum()),
            strange=[self.strange[place] for place in kept],
            notes=[*self.notes, f"Only {most:,} of {len(self.texts):,} texts are used (--limit)."],
        )


def from_file(path: Path, columns: Columns, *, delimiter: str = ",") -> Dataset:
    table = read(path, columns, delimiter=delimiter)
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return Dataset(name, path.name, _documents(table.texts), table.labels, notes=table.notes)


def published(name: str, folder: Path) -> Dataset:
    """One of PUBLISHED. Raises TrialRefused where its files are not in `folder`."""
    return PUBLISHED[name](folder)


def _it(folder: Path) -> Dataset:
    path = _there(folder / "it-service-tickets/tickets.csv.gz")
    table = read(path, Columns("text", "topic", "row"))
    return Dataset("it", "it-service-tickets", _documents(table.texts), table.labels)


def _banking77(folder: Path) -> Dataset:
    columns = Columns("text", "category")
    train, test = (
        read(_there(folder / f"banking77/{part}.csv"), columns) for part in ("train", "test")
    )
    return Dataset(
        "banking77",
        "banking77",
        _documents([*train.texts, *test.texts]),
        [*train.labels, *test.labels],
        official=len(train.texts),
    )


def _clinc150(folder: Path) -> Dataset:
    path = _there(folder / "clinc150/data_full.json.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        parts: dict[str, list[tuple[str, str]]] = json.load(file)
    train, test = parts["train"], parts["test"]
    return Dataset(
        "clinc150",
        "clinc150",
        _documents([text for text, _ in (*train, *test)]),
        [label for _, label in (*train, *test)],
        official=len(train),
        strange=_documents([text for text, _ in parts["oos_test"]]),
        notes=[
            "Neither its validation texts nor any out-of-scope text is trained on; the 1,000 "
            "out-of-scope texts of its test part are there to be told apart."
        ],
    )


PUBLISHED: Mapping[str, Callable[[Path], Dataset]] = {
    "it": _it,
    "clinc150": _clinc150,
    "banking77": _banking77,
}


def _documents(texts: list[str]) -> list[str]:
    """As the service sees them: the newest message, personal data masked."""
    return [document("", text) for text in texts]


def _there(path: Path) -> Path:
    if not path.is_file():
        raise TrialRefused(
            f"{path} must be there: TRIAGE_DATA_DIR (by default ../shared/data beside the "
            "project) names the folder of the public data sets."
        )
    return path
