"""What is ingested while processes are killed: names meet in several documents, on purpose."""

from dataclasses import dataclass

PEOPLE = ["Ada Moss", "Bela Kern", "Carl Voss", "Dora Lind", "Emil Roth", "Fay Hume", "Gus Pell"]
CITIES = ["Vienna", "Lisbon", "Oslo", "Prague", "Dublin"]
HEROES = ["刘备", "曹操", "周瑜", "诸葛亮", "赵云"]
PLACES = ["成都", "赤壁", "许昌"]
FIRST = [
    "Alma",
    "Boris",
    "Clara",
    "Dmitri",
    "Elena",
    "Fjodor",
    "Greta",
    "Hugo",
    "Ines",
    "Jakob",
    "Klara",
    "Leon",
]
LAST = [
    "Abbott",
    "Becker",
    "Carson",
    "Dalton",
    "Egan",
    "Foster",
    "Garner",
    "Holt",
    "Irwin",
    "Jensen",
    "Keller",
    "Lang",
]
# Makes chunks without names or terms, which would cost time to embed.
FILLER = (
    "and so it was, as it had been, and this was all that there was of it, and no more than that."
)
SHORT, MEDIUM = 16, 5


@dataclass(frozen=True)
class Upload:
    """One document as it is sent."""

    doc_id: str
    text: str


def uploads() -> list[Upload]:
    """24 documents of one to about twenty chunks; the long one is among the first."""
    found = [Upload(f"short-{i}", _short(i)) for i in range(SHORT)]
    for i in range(MEDIUM):
        found.insert(3 * i, Upload(f"medium-{i}", _told(PEOPLE[i], number=i, sentences=4)))
    # A person of its own: so much said of one is summarised, in the order in which it came.
    found.insert(3, Upload("long", _told("Iris Vane", number=MEDIUM, sentences=44)))
    return [REPLACED, DELETED, *found]


def _short(i: int) -> str:
    if i % 2:
        one, two = HEROES[i % len(HEROES)], HEROES[(i + 2) % len(HEROES)]
        return f"{one}在{PLACES[i % len(PLACES)]}会见{two}。"
    one, two = PEOPLE[i % len(PEOPLE)], PEOPLE[(i + 3) % len(PEOPLE)]
    return f"{one} met {two} in {CITIES[i % len(CITIES)]}."


def _told(person: str, *, number: int, sentences: int) -> str:
    """Tell of one person, who writes to somebody new in every sentence."""
    others = [f"{FIRST[i % 10]} {LAST[(i // 10 + number) % 10]}" for i in range(sentences)]
    return " ".join(f"{person} wrote a letter to {other}, {FILLER} {FILLER}" for other in others)


REPLACED = Upload("replaced", "Otto Brandt met Ada Moss in Vienna. 曹操在许昌会见赵云。")
REPLACEMENT = Upload("replaced", "Rosa Klein met Bela Kern in Lisbon.")
DELETED = Upload("deleted", "Paul Stern met Carl Voss in Oslo. 刘备在成都会见诸葛亮。")
