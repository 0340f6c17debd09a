from pathlib import Path

from ops.local.log_files import MAX_SIZE_BYTES, open_log, redact, tail


def test_a_full_log_is_set_aside_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "api.log"
    with open_log(path) as log:
        log.truncate(MAX_SIZE_BYTES + 1)
    with open_log(path) as log:
        log.write(b"new")
    assert path.read_bytes() == b"new"
    assert path.with_name("api.log.1").stat().st_size == MAX_SIZE_BYTES + 1


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    for word in (b"one ", b"two"):
        with open_log(tmp_path / "api.log") as log:
            log.write(word)
    assert (tmp_path / "api.log").read_bytes() == b"one two"


def test_the_tail_has_only_the_last_lines_and_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n" + "".join(f"{n}\n" for n in range(30)))
    assert tail(path, lines=2) == "28\n29"
    assert "old" not in tail(path, lines=99, since_bytes=4)
    assert tail(path, lines=1, since_bytes=10_000) == "29"
    assert tail(tmp_path / "none") == ""


def test_the_tail_survives_a_broken_character_and_a_huge_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes("ä".encode()[1:] + b"x" * 1_000_000)
    assert len(tail(path)) < 10_000


def test_secrets_are_blanked_even_when_one_contains_another() -> None:
    assert redact("use hunter22-long or hunter22", {"hunter22", "hunter22-long", ""}) == (
        "use [secret] or [secret]"
    )
