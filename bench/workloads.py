"""The documents: made the same way each time, or read from a folder."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice, product
from pathlib import Path

SEED = 20261124
_HEADS = "Al Be Ca Do Er Fa Gi Ha Iv Jo Ka Lu Ma Ne Or Pa Qui Ro Sa Te Ul Va We Xa Yo Ze".split()
_MIDDLES = "ron dine mar tex vius lona quin sard trell wick bran shaw nor fell dar".split()
_TAILS = "ley ton ia us en ora by ik".split()
_PLACES = ("river", "market", "tower", "harbor")
_MATTERS = ("trade", "science", "history", "war", "peace")
# About 25.5 tokens of o200k a sentence: a chunk of 1,200 less the overlap of 100.
_SENTENCES_A_CHUNK = 43
_ARTICLE_SENTENCES = 20
_MAX_FILE_BYTES = 66_000


@dataclass(frozen=True)
class Document:
    """One document; `name` is its file name and, without the suffix, its id."""

    name: str
    text: str


@dataclass(frozen=True)
class Cast:
    """Who appears in the documents, and how often."""

    names: list[str]
    cumulative: list[float]

    def some(self, generator: random.Random, count: int) -> list[str]:
        """Choose names, the first ones most often."""
        return generator.choices(self.names, cum_weights=self.cumulative, k=count)


def all_names() -> Iterator[str]:
    """Give names without end worth mentioning: 150 short ones first, then thousands."""
    yield from (head + middle for head, middle in product(_HEADS[:15], _MIDDLES[:10]))
    yield from (head + middle + tail for tail, middle, head in product(_TAILS, _MIDDLES, _HEADS))


def evenly(count: int) -> Cast:
    """Everybody appears as often as anybody else: heavy overlap when `count` is small."""
    return Cast(list(islice(all_names(), count)), list(accumulate([1.0] * count)))


def unevenly(count: int) -> Cast:
    """A few are everywhere, most are rare, as in real texts (Zipf)."""
    weights = accumulate(1 / (rank + 3) for rank in range(count))
    return Cast(list(islice(all_names(), count)), list(weights))


def articles(count: int, *, cast: Cast, prefix: str = "article") -> list[Document]:
    """Documents of one chunk."""
    return [
        Document(f"{prefix}-{number:05d}.txt", _text(number, _ARTICLE_SENTENCES, cast))
        for number in range(count)
    ]


def books(count: int, *, chunks: int, cast: Cast, prefix: str = "book") -> list[Document]:
    """Documents of `chunks` chunks of 1,200 tokens each."""
    return [
        Document(f"{prefix}-{number:05d}.txt", _text(number, _SENTENCES_A_CHUNK * chunks, cast))
        for number in range(count)
    ]


def library(chunks: int, *, cast: Cast, prefix: str = "paper") -> list[Document]:
    """Documents of one to eight chunks, about `chunks` in all."""
    generator = random.Random(SEED)
    documents: list[Document] = []
    while chunks > 0:
        size = min(generator.choice((1, 1, 2, 2, 3, 4, 6, 8)), chunks)
        number = len(documents)
        text = _text(number, _SENTENCES_A_CHUNK * size, cast)
        documents.append(Document(f"{prefix}-{number:05d}.txt", text))
        chunks -= size
    return documents


def folder(path: Path, count: int) -> list[Document]:
    """Texts of a folder, seeded choice, equally many of every folder in it."""
    generator = random.Random(SEED)
    by_folder: dict[Path, list[Path]] = {}
    for file in sorted(path.rglob("*")):
        readable = file.suffix in {".txt", ".md"} and file.stat().st_size <= _MAX_FILE_BYTES
        if readable:
            by_folder.setdefault(file.parent, []).append(file)
    chosen: list[Path] = []
    for position, files in enumerate(sorted(by_folder.values(), key=len)):
        share = (count - len(chosen)) // (len(by_folder) - position)
        chosen += generator.sample(files, min(share, len(files)))
    generator.shuffle(chosen)
    return [
        Document(f"{number:04d}-{file.stem[:40]}.txt", file.read_text("utf-8", "replace"))
        for number, file in enumerate(chosen)
    ]


def _text(number: int, sentences: int, cast: Cast) -> str:
    generator = random.Random(f"{SEED}-{number}-{sentences}")
    names = iter(cast.some(generator, 2 * sentences))
    lines = [
        f"{next(names)} met {next(names)} at the {generator.choice(_PLACES)} in part {line} of "
        f"text {number} and they discussed {generator.choice(_MATTERS)} "
        f"for {generator.randint(1, 99)} hours."
        for line in range(sentences)
    ]
    paragraphs = (" ".join(lines[start : start + 12]) for start in range(0, sentences, 12))
    return "\n\n".join(paragraphs)
