"""Which study an instance belongs to, where neither its row nor an answer told: the audit trail is by study.

Asked by series where the row tells it, else by instance; from the second instance of a study on, all of the
study are learnt at once. So it costs a request or two a study, not one an instance.
"""

from __future__ import annotations

from copydicom_app.errors import CopydicomError
from copydicom_app.health import Guard
from copydicom_app.models import Level
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.resolve import Item

_REMEMBERED = 50_000  # ids


class Studies:
    """Asks a server that holds the instances. Not for several threads."""

    def __init__(self, server: Guard) -> None:
        self._server = server
        self._known: dict[str, str] = {}  # series or instance -> study
        self._last = ""

    def of(self, item: Item) -> str:
        """The Orthanc id of its study; empty when the server does not tell."""
        if item.study:
            return item.study
        key = item.series or item.id
        if key not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            try:
                self._known[key] = self._server(lambda server: self._ask(server, item))
            except CopydicomError:
                self._known[key] = ""
        return self._known[key]

    def _ask(self, server: Orthanc, item: Item) -> str:
        if item.series:
            return str(server.series(item.series)["ParentStudy"])
        study = server.study_of(item.id)
        if study == self._last:
            self._known.update(dict.fromkeys(server.ids_of(Level.STUDY, study), study))
        self._last = study
        return study
