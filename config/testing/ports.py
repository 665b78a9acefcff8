"""Ports for the servers of tests, which nobody else can be given meanwhile."""

from __future__ import annotations

import socket

_reserved: list[socket.socket] = []


def reserved_port() -> int:
    """A TCP port on 127.0.0.1, for a server that sets SO_REUSEADDR, as all of ours do. Nobody listens on it yet.

    Until a process that was just started has bound its port, seconds pass in which the kernel may give a merely free
    one to any connection of another test. This one stays bound by a socket that never listens, until the tests end.
    """
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))  # alone at first: no other holder has the same port
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _reserved.append(holder)
    return int(holder.getsockname()[1])
