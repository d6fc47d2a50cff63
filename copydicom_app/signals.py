"""Hear a signal without disturbing what the main thread is in the middle of.

Python runs a handler in the main thread, between any two of its steps. There it may wait for ever for a lock
that the main thread itself holds (`threading.Event.set` takes one), and what it raises may come up in a
callback of the garbage collector, which prints it and goes on as though nothing had happened.
"""

from __future__ import annotations

import _thread
import signal
from typing import Callable


def on_signal(number: int, act: Callable[[], object]) -> None:
    """Have `act` called on a thread of its own. Of use in the main thread only."""
    signal.signal(number, lambda *_: apart(act))


def apart(act: Callable[[], object]) -> None:
    """Call `act` on a thread of its own; takes no lock, so that a handler may do it anywhere."""
    _thread.start_new_thread(act, ())
