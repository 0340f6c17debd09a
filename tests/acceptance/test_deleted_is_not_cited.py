"""What was deleted before a question was asked is in no answer, whatever the mode."""

from tests.acceptance.system import Workspace

STAYS = "Charles Babbage designed the Analytical Engine in London. Charles Babbage wrote letters."
GOES = (
    "Ada Lovelace wrote notes about the Analytical Engine. "
    "Ada Lovelace worked with Charles Babbage in London."
)
QUESTION = "Who wrote notes about the Analytical Engine?"
MODES = ["local", "global", "hybrid", "naive", "mix"]


def answers(workspace: Workspace) -> dict[str, str]:
    return {mode: str(workspace.ask(QUESTION, mode)) for mode in MODES}


def test_a_deleted_document_is_neither_cited_nor_looked_at(workspace: Workspace) -> None:
    workspace.read(STAYS, doc_id="stays", file_name="stays.txt")
    workspace.read(GOES, doc_id="goes", file_name="goes.txt")
    before = answers(workspace)
    assert all("goes.txt" in answer for answer in before.values()), before
    workspace.delete("goes")
    after = answers(workspace)
    assert not any("goes.txt" in answer or "Lovelace" in answer for answer in after.values()), after
    assert any("stays.txt" in answer for answer in after.values()), after


def test_a_replaced_revision_is_not_cited_any_more(workspace: Workspace) -> None:
    workspace.read(STAYS, doc_id="stays", file_name="stays.txt")
    workspace.read(GOES, doc_id="goes", file_name="old.txt")
    before = answers(workspace)
    assert all("old.txt" in answer for answer in before.values()), before
    workspace.read("Grace Hopper wrote compilers in Arlington.", doc_id="goes", file_name="new.txt")
    after = answers(workspace)
    assert not any("old.txt" in answer or "Lovelace" in answer for answer in after.values()), after
