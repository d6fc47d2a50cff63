"""Send instances from one Orthanc to the other through this machine.

Small ones travel together: Orthanc takes a ZIP archive, and one of twenty stored members costs the client
half of twenty uploads. Large ones go one by one, very large ones without ever being whole in memory.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple, Optional, Protocol, Union, cast

from copydicom_app.errors import CopydicomError, NotFoundError, RetriableError, SkippableError
from copydicom_app.health import Guard
from copydicom_app.models import Status, Stored
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.resolve import Item
from copydicom_app.retry import retried

SMALL = 200_000  # bytes; an instance of more goes alone
STREAMED = 8_000_000  # bytes; an instance of more is not held in memory

CANCELLED = "the search was cancelled before this was copied"


class Result(NamedTuple):
    """What became of one instance; `given` is the id that the destination gave it, if another."""

    status: Status
    bytes: int = 0
    message: str = ""
    study: str = ""
    given: str = ""


class Sender(Protocol):
    """A way to bring instances to the destination: at most `together` instances or about `aim` bytes at once.

    Where it `must_ask_again` whether they arrived, `if_absent` says what became of those that did not.
    """

    together: int
    aim: int
    must_ask_again: bool
    if_absent: str

    def check(self) -> None:
        """Raise what makes this way impossible."""

    def send(self, items: Sequence[Item]) -> list[Result]:
        """Bring each item; a result each, in their order. Raises nothing for what goes wrong with one."""


class StreamSender:
    """GET from the source, POST to the destination (``method=stream``).

    A destination that `rewrites` gives ids of its own; then nothing is put into archives, so that each answer
    belongs to one instance.
    """

    together = 20
    aim = 2_000_000
    must_ask_again = False
    if_absent = ""

    def __init__(self, source: Guard, dest: Guard, stop: threading.Event) -> None:
        self._source = source
        self._dest = dest
        self._stop = stop
        self._one_by_one = dest.orthanc.server.rewrites
        self._expected = "" if dest.orthanc.server.rewrites else None

    def check(self) -> None:
        """Nothing can be missing."""

    def send(self, items: Sequence[Item]) -> list[Result]:
        """See Sender."""
        results: dict[str, Result] = {}
        together: list[tuple[Item, bytes]] = []
        for item in items:
            if self._stop.is_set():
                results[item.id] = Result(Status.FAILED, message=CANCELLED)
                continue
            got = self._fetched(item)
            if isinstance(got, Result):
                results[item.id] = got
            elif len(got) > SMALL or self._one_by_one:
                results[item.id] = self._stored(item, got)
            else:
                together.append((item, got))
        results.update(self._stored_together(together))
        return [results[item.id] for item in items]

    def _fetched(self, item: Item) -> Union[bytes, Result]:
        """The file; or its result, when there is none or when it was so large that it went straight on."""
        try:
            self._dest.check()
            return self._source(lambda source: retried(lambda: self._fetch(source, item), self._stop))
        except NotFoundError:
            return Result(Status.MISSING, message=f"server {self._source.name!r} does not have it")
        except CopydicomError as error:
            return Result(Status.FAILED, message=str(error))

    def _fetch(self, source: Orthanc, item: Item) -> Union[bytes, Result]:
        with source.opened_file(item.id) as (size, stream):
            if size <= STREAMED:
                return stream.read()
            whole = cast("IO[bytes]", _Whole(stream, size, source.server.name))
            try:
                stored = self._dest.orthanc.store(whole, size)
                return judged(item, size, stored, self._dest.name, self._expected)
            except RetriableError:
                raise
            except CopydicomError as error:
                return Result(Status.FAILED, message=str(error))

    def _stored(self, item: Item, dicom: bytes) -> Result:
        try:
            stored = self._dest(lambda dest: dest.store(dicom))
        except CopydicomError as error:
            return Result(Status.FAILED, message=str(error))
        return judged(item, len(dicom), stored, self._dest.name, self._expected)

    def _stored_together(self, together: list[tuple[Item, bytes]]) -> dict[str, Result]:
        """Send small files in one archive; what its answer does not name, one by one, to learn why."""
        answers: dict[str, Stored] = {}
        if len(together) > 1:
            packed = archive(dicom for _, dicom in together)
            try:
                answers = {
                    stored.id: stored for stored in self._dest(lambda dest: dest.store_archive(packed))
                }
            except SkippableError:
                pass  # one bad member can make Orthanc refuse all
            except CopydicomError as error:
                failed = Result(Status.FAILED, message=str(error))
                return {item.id: failed for item, _ in together}
            if not answers.keys() <= {item.id for item, _ in together}:
                self._one_by_one = True
        return {
            item.id: judged(item, len(dicom), answers[item.id], self._dest.name)
            if item.id in answers
            else self._stored(item, dicom)
            for item, dicom in together
        }


def judged(item: Item, size: int, stored: Stored, dest: str, expected: Optional[str] = None) -> Result:
    """What an answer to an upload means: only Success with the id that was expected is a copy.

    `expected` is the instance's own id, unless told; an empty one stands for a destination that gives ids of
    its own.
    """
    study = item.study or stored.study
    expected = item.id if expected is None else expected
    if stored.id and expected and stored.id != expected and stored.status in ("Success", "AlreadyStored"):
        message = (
            f"server {dest!r} stored it under another id ({stored.id}): it rewrites what it receives; "
            "set rewrites = true for it in copydicom_servers.conf"
        )
        return Result(Status.FAILED, message=message, study=item.study, given=stored.id)
    given = stored.id if stored.id != item.id else ""
    if stored.status == "Success" and stored.id:
        return Result(Status.COPIED, size, study=study, given=given)
    if stored.status == "AlreadyStored" and stored.id:
        return Result(Status.PRESENT, study=study, given=given)
    if stored.status == "FilteredOut":
        return Result(Status.FAILED, message=f"a filter of server {dest!r} refused it", study=study)
    answer = stored.status or "nothing"
    return Result(Status.FAILED, message=f"server {dest!r} answered {answer!r}", study=study)


def archive(files: Iterable[bytes]) -> bytes:
    """A ZIP archive of the files, stored and not compressed, named by their numbers (APPNOTE.TXT 4.3)."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    place = 0
    for number, data in enumerate(files):
        name = b"%d" % number
        # version 2.0, no flags, stored, 1 January 1980, checksum, both sizes, length of the name, no extra
        facts = struct.pack(
            "<HHHHHLLLHH", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(name), 0
        )
        parts += (b"PK\3\4", facts, name, data)
        directory += (b"PK\1\2", struct.pack("<H", 20), facts, struct.pack("<HHHLL", 0, 0, 0, 0, place), name)
        place += 4 + len(facts) + len(name) + len(data)
    listed = b"".join(directory)
    count = len(directory) // 5
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(listed), place, 0)
    return b"".join((*parts, listed, b"PK\5\6", end))


class _Whole:
    """A stream that ends too early is an error here, not a short file at the destination."""

    def __init__(self, stream: IO[bytes], size: int, name: str) -> None:
        self._stream, self._left, self._name = stream, size, name

    def read(self, size: int = -1) -> bytes:
        """As a file's; raises RetriableError when the source breaks off."""
        problem: Optional[Exception] = None
        try:
            data = self._stream.read(min(size, self._left) if size >= 0 else self._left)
        except Exception as error:
            data, problem = b"", error
        if not data and self._left:
            raise RetriableError(f"server {self._name!r} broke off in the middle of a file") from problem
        self._left -= len(data)
        return data
