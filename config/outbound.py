"""HTTP connections to others: kept per process, and an answer that is read within a deadline and a size."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

CHUNK = 64 * 1024
CONNECTIONS = 32


class TooSlow(Exception):
    """The answer as a whole took longer than it may."""


class TooLarge(Exception):
    """The answer is larger than it may be."""


def kept_session(base_url: str) -> requests.Session:
    """The session for an address: connections are kept alive, cookies and the environment ignored.

    It is used by many threads: its connection pool is safe for that, and what is not (cookies, redirects, looking up
    the environment at each call) is switched off, redirects by ``allow_redirects=False`` at each call.
    """
    return _session(os.getpid(), base_url)


@lru_cache(maxsize=16)
def _session(pid: int, base_url: str) -> requests.Session:
    """One per process: sockets must not be shared over a fork."""
    session = requests.Session()
    session.trust_env = False  # else ~/.netrc could add credentials
    session.proxies.update(get_environ_proxies(base_url))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=CONNECTIONS, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def read_body(response: requests.Response, *, deadline: float, most: int) -> bytes:
    """The body of a streamed answer. ``deadline``: monotonic seconds; ``most``: bytes. Raises TooSlow, TooLarge.

    read1() returns after each packet, so that a peer which drips bytes meets the deadline.
    """
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLarge
        if time.monotonic() > deadline:
            raise TooSlow
    return b"".join(parts)
