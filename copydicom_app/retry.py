"""Try again what may succeed later, with growing waits that differ, so that threads do not march in step."""

from __future__ import annotations

import random
import threading
from typing import Callable, Optional, TypeVar

from copydicom_app.errors import RetriableError

_SECONDS = (0.5, 2.0)  # before the second and the third try, give or take half

_Out = TypeVar("_Out")


def retried(
    call: Callable[[], _Out], stop: threading.Event, final: Optional[type[RetriableError]] = None
) -> _Out:
    """What `call` returns. Raises its RetriableError after the third, or once `stop` is set.

    An error of the kind `final` is raised at once: its caller has a better way than to ask again.
    """
    for seconds in _SECONDS:
        try:
            return call()
        except RetriableError as error:
            if final is not None and isinstance(error, final):
                raise
            stop.wait(seconds * random.uniform(0.5, 1.5))  # noqa: S311 (jitter, no secret)
            if stop.is_set():
                raise
    return call()
