"""Small documents that are made, each with a fact of its own."""

_PLACES = ("Lindau", "Tromso", "Valparaiso", "Kandy", "Bergamo", "Oaxaca", "Nagasaki", "Cork")
_NAMES = ("Adler", "Brandt", "Castellano", "Dumont", "Eriksen", "Fontana", "Grimaldi", "Haugen")

# Several chunks, and few names in them: what takes time is not what is shown here.
_REPORTS_IN_A_LONG_ONE = 10


def long_text(number: int) -> str:
    """Return a text of several chunks, which go to the workers that extract."""
    text = made_text(number)
    return "\n".join(f"Report {part}: {text}" for part in range(_REPORTS_IN_A_LONG_ONE))


def made_text(number: int) -> str:
    """Return a text of two paragraphs about one invented observatory."""
    name, place = _NAMES[number % len(_NAMES)], _PLACES[number // len(_NAMES) % len(_PLACES)]
    observatory = f"{name} Observatory {number}"
    return (
        f"{observatory} was founded by Clara {name} in {place}. It keeps catalogue {number} of "
        f"variable stars. The Royal Society of {place} pays for its telescope. Clara {name} "
        f"discovered the comet {name}-{number} there.\n\n"
        f"The {place} Harbour Company carried the mirror of {observatory} from Rotterdam. "
        f"Its second director was Henrik {name}, who wrote the history of catalogue {number}.\n"
    )
