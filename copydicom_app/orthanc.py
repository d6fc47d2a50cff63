"""The client of Orthanc's REST API: its routes, those of studies and series in `holdings`.

Routes are those of the Orthanc Book, "REST API of Orthanc"; what they cost was measured on 1.10.1
and 1.12.7. Every method raises the errors of `copydicom_app.errors` and nothing else.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import IO, Any, Callable, Optional, Union
from urllib.parse import quote

from copydicom_app.asking import checked
from copydicom_app.errors import NotFoundError, SkippableError
from copydicom_app.holdings import Holdings, Tags
from copydicom_app.models import Change, Held, Level, Parents, Stored
from copydicom_app.refusal import FailedError
from copydicom_app.retry import retried
from copydicom_app.transport import READ_SECONDS

Within = Callable[[], AbstractContextManager[object]]  # what a request is to be made within

_PLURAL = {Level.SERIES: "series", Level.STUDY: "studies", Level.PATIENT: "patients"}

_TRANSFER_SECONDS = 1800.0  # for one request that makes Orthanc read or send many files

_LARGEST_BULK = 16_000_000  # bytes of tags in one answer; parsed they take some five times as much memory


class Orthanc(Holdings):
    """One Orthanc server. Safe to use from several threads; `stop` cuts short the waits between tries.

    `server` is a Server, or a URL such as ``http://user:password@host:8042``.
    """

    # The change log

    def last_change(self) -> int:
        """The number of the newest row that the change log ever had (it survives deletions)."""
        return int(self._json("GET", f"/changes?since={2**62}&limit=1")["Last"])

    def changes(self, since: int, limit: int) -> tuple[list[Change], int]:
        """``GET /changes``: the rows after `since`, at most `limit`, and the number to go on from.

        Without rows that is the log's own last number, which lies beyond `since` when rows were removed.
        """
        answer = self._json("GET", f"/changes?since={since}&limit={limit}")
        rows = [
            Change(row["Seq"], row["ChangeType"], row["ID"], row.get("Date", "")) for row in answer["Changes"]
        ]
        return rows, max(since, int(answer["Last"]))

    def now(self) -> str:
        """``GET /tools/now``: the server's clock in UTC, in the form of the change log's dates."""
        return self._request("GET", "/tools/now").body.decode().strip()

    # What it holds

    def ids(self, level: Level) -> list[str]:
        """``GET /{series,studies,patients}``: the ids of all of them."""
        return [str(id) for id in self._json("GET", f"/{_PLURAL[level]}")]

    def series_ids(self) -> list[str]:
        """``GET /series``: the ids of all series."""
        return self.ids(Level.SERIES)

    def study_ids(self) -> list[str]:
        """``GET /studies``: the ids of all studies."""
        return self.ids(Level.STUDY)

    def instance(self, instance: str) -> Tags:
        """``GET /instances/{id}``: its main tags, series and size."""
        answer: Tags = self._json("GET", f"/instances/{checked(instance)}")
        return answer

    def received(self, instance: str) -> str:
        """When the server took it in, by its own clock, as `now`; empty when it does not know."""
        try:
            path = f"/instances/{checked(instance)}/metadata/ReceptionDate"
            return self._request("GET", path).body.decode().strip()
        except NotFoundError:
            return ""

    def held(self, ids: Sequence[str]) -> dict[str, Held]:
        """Which of these instances it holds, with their size in bytes: one request for all of them.

        ``POST /tools/bulk-content`` (Orthanc 1.9.4); before that, a request each.
        """
        try:
            query = {"Resources": [checked(id) for id in ids], "Level": "Instance"}
            rows = self._json("POST", "/tools/bulk-content", json=query)
        except NotFoundError:
            rows = [row for row in map(self._instance, ids) if row is not None]
        return {row["ID"]: _held(row) for row in rows}

    def held_of(self, level: Level, id: str) -> list[Held]:
        """``GET /{series,studies,patients}/{id}/instances``: the instances of one of them.

        Costs an instance far less than asking by its id, also where the archive is large.
        """
        return [_held(row) for row in self._json("GET", f"/{_PLURAL[level]}/{checked(id)}/instances")]

    def ids_of(self, level: Level, id: str) -> set[str]:
        """The ids of the instances of a series, study or patient; none when it is not there.

        ``GET /series/{id}/instances?expand=false``: on 1.12 a quarter of the cost of ``GET /series/{id}``.
        1.10.1 knows no `expand` and gives the instances themselves.
        """
        try:
            rows = self._json("GET", f"/{_PLURAL[level]}/{checked(id)}/instances?expand=false")
        except NotFoundError:
            return set()
        return {row if isinstance(row, str) else row["ID"] for row in rows}

    def study_of(self, instance: str) -> str:
        """``GET /instances/{id}/study``: the id of the study that an instance belongs to."""
        return str(self._json("GET", f"/instances/{checked(instance)}/study")["ID"])

    def instance_ids(self, since: int, limit: int) -> list[str]:
        """``GET /instances?since=&limit=``: a page of all ids; the last one has fewer than `limit`."""
        return [str(id) for id in self._json("GET", f"/instances?since={since}&limit={limit}")]

    def statistics(self) -> Tags:
        """``GET /statistics``: `CountInstances`, `CountPatients`, `TotalDiskSize` (bytes, as text) ..."""
        answer: Tags = self._json("GET", "/statistics")
        return answer

    def patients_of(self, ids: Sequence[str]) -> set[str]:
        """Those patients that hold any of these instances or are one of these patients (Orthanc ids)."""
        query = {"Resources": [checked(id) for id in ids], "Level": "Patient", "Metadata": False}
        return {row["ID"] for row in self._json("POST", "/tools/bulk-content", json=query)}

    def lookup(self, identifier: str) -> list[tuple[str, str]]:
        """``POST /tools/lookup``: what has this DICOM identifier (a UID or PatientID).

        Pairs of Orthanc's level (`Patient`, `Study`, `Series`, `Instance`) and Orthanc id.
        """
        answer = self._json("POST", "/tools/lookup", data=identifier.encode())
        return [(str(row["Type"]), str(row["ID"])) for row in answer]

    def studies_with_accession(self, number: str) -> list[str]:
        """``POST /tools/find``: the studies of an accession number, which ``/tools/lookup`` does not find.

        `number` holds no wildcard.
        """
        query = {"Level": "Study", "Query": {"AccessionNumber": number}, "CaseSensitive": True}
        return [str(id) for id in self._json("POST", "/tools/find", json=query)]

    def studies_of(self, day: str) -> list[str]:
        """``POST /tools/find``: the studies whose StudyDate is this day (``20200131``), by Orthanc id."""
        query = {"Level": "Study", "Query": {"StudyDate": day}}
        return [str(id) for id in self._json("POST", "/tools/find", json=query)]

    def md5(self, instance: str) -> str:
        """``GET /instances/{id}/attachments/dicom/md5``: the MD5 of the file, as Orthanc noted it."""
        return self._request("GET", f"/instances/{checked(instance)}/attachments/dicom/md5").body.decode()

    def _instance(self, id: str) -> Optional[Tags]:
        try:
            answer: Tags = self._json("GET", f"/instances/{checked(id)}")
        except NotFoundError:
            return None
        return answer

    def parents(self, instance: str) -> Parents:
        """The series, study and patient of an instance: two requests."""
        series = self._json("GET", f"/instances/{checked(instance)}")["ParentSeries"]
        study = self.study_of_series(series)
        return Parents(series, study["ID"], study["ParentPatient"])

    # Tags

    def instance_tags(self, instance: str, long: Sequence[str] = (), within: Within = nullcontext) -> Tags:
        """``GET /instances/{id}/tags?simplify``: keyword -> value; values over 256 characters are null.

        The values of the keywords in `long` come whatever their length. Each try is made `within` that,
        which is left when the answer has come; what is then done with it costs the server nothing.
        """
        url = f"/instances/{checked(instance)}/tags?simplify{_ignore_length(long)}"
        tags: Tags = self._tags(url, within=within)
        return tags

    def series_tags(
        self, series: str, long: Sequence[str] = (), within: Within = nullcontext
    ) -> dict[str, Tags]:
        """``GET /series/{id}/instances-tags?simplify``: the tags of all its instances, by instance."""
        url = f"/series/{checked(series)}/instances-tags?simplify{_ignore_length(long)}"
        tags: dict[str, Tags] = self._tags(url, _LARGEST_BULK, within=within)
        return tags

    def shared_tags(self, series: str) -> Tags:
        """``GET /series/{id}/shared-tags?simplify``: the values that are the same in all its instances.

        Orthanc opens each file; a series of 5,000 may take it minutes. No sequences, no long values.
        """
        url = f"/series/{checked(series)}/shared-tags?simplify"
        tags: Tags = self._tags(url, seconds=_TRANSFER_SECONDS)
        return tags

    def _tags(
        self,
        path: str,
        largest: Optional[int] = None,
        seconds: float = READ_SECONDS,
        within: Within = nullcontext,
    ) -> Any:
        """Orthanc answers 500 each time for a file that it cannot read: so that is final here."""

        def ask() -> Any:
            with within():
                answer = self._request_once("GET", path, seconds=seconds, largest=largest)
            return self._decoded(answer)

        return retried(ask, self._stop, final=FailedError)

    # Files

    def file(self, instance: str) -> bytes:
        """``GET /instances/{id}/file``: the DICOM file, byte for byte."""
        return self._request("GET", f"/instances/{checked(instance)}/file").body

    @contextmanager
    def opened_file(self, instance: str) -> Iterator[tuple[int, IO[bytes]]]:
        """The same as a stream with its size in bytes (-1: not told). One try; not retried."""
        with self._opened(f"/instances/{checked(instance)}/file") as response:
            yield -1 if response.length is None else response.length, response

    def store(self, dicom: Union[bytes, IO[bytes]], size: Optional[int] = None) -> Stored:
        """``POST /instances`` with one file: bytes, or a stream of `size` bytes (one try; not retried)."""
        if isinstance(dicom, bytes):
            answer = self._json("POST", "/instances", data=dicom)
        else:
            answer = self._decoded(
                self._request_once("POST", "/instances", dicom, {"Content-Length": str(size)})
            )
        if not isinstance(answer, dict):
            raise SkippableError(f"server {self.server.name!r} gave no usable answer to an upload")
        return _stored(answer)

    def store_archive(self, archive: bytes) -> list[Stored]:
        """``POST /instances`` with a ZIP of files: what was said of those that were accepted.

        A member that is not DICOM may go unmentioned, or make the whole answer a refusal.
        """
        answer = self._json("POST", "/instances", data=archive)
        return [_stored(row) for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []

    # Anonymized copies

    def patient_id(self, instance: str) -> str:
        """The PatientID of an instance (``GET /instances/{id}/patient``); it may be empty."""
        patient = self._json("GET", f"/instances/{checked(instance)}/patient")
        return str(patient["MainDicomTags"].get("PatientID", ""))

    def anonymized(self, instance: str, query: Tags) -> bytes:
        """``POST /instances/{id}/anonymize``: an anonymized copy as a file, of which it keeps nothing."""
        body = jsonlib.dumps(query).encode()
        return self._request("POST", f"/instances/{checked(instance)}/anonymize", body).body

    # Its peers

    def peers(self) -> list[str]:
        """``GET /peers``: the names under which it knows other Orthancs."""
        return [str(name) for name in self._json("GET", "/peers")]

    def system_of_peer(self, peer: str) -> Tags:
        """``GET /peers/{name}/system``: what the peer's own ``GET /system`` says to it."""
        system: Tags = self._decoded(self._request_once("GET", f"/peers/{quote(peer, safe='')}/system"))
        return system

    def send_to_peer(self, peer: str, ids: Sequence[str]) -> int:
        """``POST /peers/{name}/store``: let it send instances; the bytes of all of them, sent or not.

        The answer does not tell which arrived. Raises NotFoundError, having sent none, when it lacks one.
        """
        query = {
            "Resources": [checked(id) for id in ids],
            "Synchronous": True,
            "Permissive": True,
            "Compress": False,
        }
        body = jsonlib.dumps(query).encode()
        path = f"/peers/{quote(peer, safe='')}/store"
        answer = self._decoded(self._request_once("POST", path, body, seconds=_TRANSFER_SECONDS))
        return int(answer.get("Size") or 0)


def _held(row: Tags) -> Held:
    return Held(row["ID"], row.get("FileSize"), row.get("ParentSeries", ""))


def _ignore_length(keywords: Iterable[str]) -> str:
    names = ",".join(keywords)
    return f"&ignore-length={names}" if names else ""


def _stored(answer: Tags) -> Stored:
    return Stored(
        str(answer.get("ID", "")), str(answer.get("Status", "")), str(answer.get("ParentStudy", ""))
    )
