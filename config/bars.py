"""A progress bar on a terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Show = Callable[[int, int], None]
"""``show(done, expected)``; what is expected may change on the way."""


@contextmanager
def bar_on_terminal(label: str) -> Iterator[Show]:
    """A bar that moves with every call of what is yielded; elsewhere than on a terminal nothing is drawn.

    While it is there, the log says only what is wrong: other lines would go right through it.
    """
    on_terminal = sys.stderr.isatty()
    logging.disable(logging.INFO if on_terminal else logging.NOTSET)
    try:
        with click.progressbar(length=1, label=label, file=sys.stderr, hidden=not on_terminal) as bar:

            def show(done: int, expected: int) -> None:
                bar.length = max(expected, done, 1)
                bar.update(done - bar.pos)

            yield show
    finally:
        logging.disable(logging.NOTSET)
