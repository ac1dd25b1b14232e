"""What a program and everything it starts asks of the network, as the operating system sees it (strace, Linux only).

Python's own guard does not see a library that calls the operating system directly; this does, and it sees attempts
that fail as well.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

_CALL = re.compile(r"\b(connect|bind|sendto|sendmsg|sendmmsg)\((.*)")
_FAMILY = re.compile(r"sa_family=(AF_\w+)")
_IPV4 = re.compile(r'inet_addr\("([^"]+)"\)')
_IPV6 = re.compile(r'inet_pton\(AF_INET6, "([^"]+)"')
_NOT_READ = re.compile(r"(connect|bind|sendmsg|sendmmsg)\(\d+, 0x|sendto\(.*, 0x[0-9a-f]+, \d+\)")
_LOCAL_FAMILIES = {"AF_UNIX", "AF_NETLINK", "AF_UNSPEC"}  # this machine, its kernel, and taking an address back


class Attempt(NamedTuple):
    """A call that names an address."""

    call: str
    address: str


def tracing(log: Path) -> list[str]:
    """What to put before a command so that its network calls are written to `log`."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("strace is missing, so nobody can say what the app asks of the network: apt-get install strace")
    # Peili makes itself unreadable to other processes. Root may look all the same; anybody else as root of a namespace.
    before = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    # -s 0: no payload, so that no typed word gets into the log.
    return [*before, strace, "-f", "-qq", "--seccomp-bpf", "-s", "0", "-e", "trace=%network", "-o", str(log)]


def attempts(log: str) -> list[Attempt]:
    """Every address of another kind than this machine's own that a log names, `?` where it could not be read."""
    found = []
    for line in log.splitlines():
        if (match := _CALL.search(line)) is None:
            continue
        call, rest = match.groups()
        if _NOT_READ.search(line):
            found.append(Attempt(call, "?"))
        for family in set(_FAMILY.findall(rest)) - _LOCAL_FAMILIES:
            addresses = _IPV4.findall(rest) if family == "AF_INET" else _IPV6.findall(rest)
            found += [Attempt(call, address) for address in addresses or [f"? {family}"]]
    return found


def leaving(log: str) -> list[Attempt]:
    """The attempts that do not stay on the loopback address."""
    return [attempt for attempt in attempts(log) if not _is_loopback(attempt.address)]


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
