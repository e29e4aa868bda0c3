from pathlib import Path

from yiju.embedded.postgres import free_port


def test_a_free_port_is_none_that_an_outgoing_connection_may_be_given_before_it_is_bound() -> None:
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = {free_port() for _ in range(50)}
    assert len(ports) > 40
    assert all(1024 < port < first_outgoing for port in ports)
