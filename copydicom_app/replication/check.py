"""Whether both ends hold the same bytes (``verify=true``)."""

from __future__ import annotations

import hashlib

from copydicom_app.errors import CopydicomError, NotFoundError
from copydicom_app.health import Guard
from copydicom_app.models import Status
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.resolve import Item
from copydicom_app.replication.transfer import Result


def compared(item: Item, result: Result, source: Guard, dest: Guard) -> Result:
    """The result of an instance that the destination has, or `conflict` when its content is another."""
    if dest.orthanc.server.rewrites:
        return result  # what it has differs on purpose
    try:
        ours = source(lambda orthanc: digest(orthanc, item.id))
    except NotFoundError:
        message = f"server {source.name!r} no longer has it, so it could not be verified"
        return Result(Status.MISSING, message=message, study=result.study)
    except CopydicomError as error:
        return Result(Status.FAILED, message=f"it could not be verified: {error}", study=result.study)
    try:
        same = ours == dest(lambda orthanc: digest(orthanc, item.id))
    except CopydicomError as error:
        return Result(Status.FAILED, message=f"it could not be verified: {error}", study=result.study)
    if same:
        return result
    message = f"server {dest.name!r} holds other content under the same id; nothing was replaced"
    return Result(Status.CONFLICT, message=message, study=result.study)


def digest(orthanc: Orthanc, id: str) -> str:
    """The MD5 that Orthanc noted, or of the file itself where it keeps none (`StoreMD5ForAttachments`)."""
    try:
        noted = orthanc.md5(id)
    except NotFoundError:
        noted = ""
    return noted or hashlib.md5(orthanc.file(id), usedforsecurity=False).hexdigest()
