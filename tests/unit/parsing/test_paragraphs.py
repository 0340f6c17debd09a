"""Lines that only the page's width broke belong together."""

import pytest

from worker.parsing.paragraphs import unwrapped


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (
            "Albert Einstein was born in Ulm, in the German\nEmpire, on 14 March 1879.\nHe moved.",
            "Albert Einstein was born in Ulm, in the German Empire, on 14 March 1879.\nHe moved.",
        ),
        (
            "话说天下大势分久必合合久必分周末七国\n分争并入于秦。",
            "话说天下大势分久必合合久必分周末七国分争并入于秦。",
        ),
        ("A Title\nThe first line of a paragraph that is much wider.", None),
        ("One long line that was not ended by anything\n\nAnother paragraph follows it", None),
        ("The following things are needed for the work\n- a hammer\n- some long nails", None),
        ("| a cell of a table | another cell |\n| more of it | and yet more of it |", None),
        ("These are the numbered items of the list here\n1. the first of them all\n2. more", None),
        ("", None),
    ],
)
def test_only_broken_lines_are_joined(page: str, text: str | None) -> None:
    assert unwrapped(page) == (page if text is None else text)
