"""Small documents that are made, each with a fact of its own."""

_PLACES = ("Lindau", "Tromso", "Valparaiso", "Kandy", "Bergamo", "Oaxaca", "Nagasaki", "Cork")
_NAMES = ("Adler", "Brandt", "Castellano", "Dumont", "Eriksen", "Fontana", "Grimaldi", "Haugen")

# Several chunks, and few names in them: what takes time is not what is shown here.
_REPORTS_IN_A_LONG_ONE = 25


def long_text(number: int) -> str:
    """Return a text of several chunks, which go to the workers that extract."""
    text = made_text(number)
    return "\n".join(f"Report {part}: {text}" for part in range(_REPORTS_IN_A_LONG_ONE))


def made_text(number: int) -> str:
    """Return two sentences about one invented observatory."""
    name, place = _NAMES[number % len(_NAMES)], _PLACES[number // len(_NAMES) % len(_PLACES)]
    return (
        f"{name} Observatory {number} was founded by Clara {name} in {place}. "
        f"It keeps catalogue {number} of variable stars, and its telescope is old.\n"
    )
