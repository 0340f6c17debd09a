import json
import socket
from pathlib import Path

import pytest

from ops.local.errors import PortTakenError
from ops.local.ports import choose_ports, free_port, is_free, remember_ports


def test_a_wanted_port_is_taken_as_it_is() -> None:
    port = free_port()
    assert choose_ports({"api": port}, {"api": 1}) == {"api": port}


def test_a_free_remembered_port_is_used_again() -> None:
    port = free_port()
    assert choose_ports({"api": None}, {"api": port}) == {"api": port}


def test_a_taken_remembered_port_is_replaced_and_a_taken_wanted_one_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
        assert choose_ports({"api": None}, {"api": port})["api"] != port
        with pytest.raises(PortTakenError, match=f"Port {port} of api"):
            choose_ports({"api": port}, {})


def test_no_two_services_get_the_same_port() -> None:
    port = free_port()
    chosen = choose_ports({"api": None, "flower": port}, {"api": port})
    assert chosen["flower"] == port
    assert chosen["api"] != port


def test_the_same_wanted_port_twice_is_refused() -> None:
    port = free_port()
    with pytest.raises(PortTakenError, match="flower"):
        choose_ports({"api": port, "flower": port}, {})


def test_ports_are_remembered_beside_those_of_services_not_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = remember_ports(path, {"api": None, "flower": None})
    assert remember_ports(path, {"api": None}) == {"api": first["api"]}
    assert json.loads(path.read_text()) == first


def test_a_ports_file_that_a_kill_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text('{"api": 12')
    chosen = remember_ports(path, {"api": None})
    assert json.loads(path.read_text()) == chosen
