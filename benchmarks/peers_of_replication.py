"""The ways that ours is compared with, each as its users run it."""

from __future__ import annotations

import http.client
import queue
import threading
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import requests

from copydicom_app.replication.transfer import archive
from testbench.orthanc import OrthancServer
from testbench.sample_data import Instance

Way = Callable[[OrthancServer, OrthancServer, Sequence[Instance]], None]

PREDECESSOR = "the predecessor's loop"


def ways(say: Callable[[str], None]) -> dict[str, Way]:
    """By name; a package that is not installed is left out."""
    found: dict[str, Way] = {
        PREDECESSOR: predecessor,
        "Orthanc's Replicate.py": replicate_py,
    }
    try:
        import pyorthanc  # noqa: F401

        found["pyorthanc"] = with_pyorthanc
    except ImportError:
        say("pyorthanc is not installed")
    try:
        import orthanc_tools  # noqa: F401

        found["orthanc-tools cloner, 1 thread"] = cloner(1)
        found["orthanc-tools cloner, 8 threads"] = cloner(8)
    except ImportError:
        say("orthanc-tools is not installed")
    try:
        import orthanc_api_client  # noqa: F401

        found["orthanc-api-client"] = with_api_client
    except ImportError:
        say("orthanc-api-client is not installed")
    for threads in (4, 8):
        found[f"floor: keep-alive, {threads} connections"] = lean(threads, 1)
    found["floor: ZIP of 20, 4 at a time"] = lean(4, 20)
    found["floor: peer, 100, 4 at a time"] = peer_parts
    found["limit: POSTs of prepared bytes, 4"] = raw_posts
    return found


def predecessor(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
    """List both ends, then GET and POST one by one, a new connection each."""
    missing = set(listed(source)) - set(listed(dest))
    for id in missing:
        dicom = requests.get(f"{source.url}/instances/{id}/file", auth=source.auth, timeout=60).content
        requests.post(f"{dest.url}/instances", auth=dest.auth, data=dicom, timeout=60).raise_for_status()


def replicate_py(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
    """Orthanc's sample: for each id of the source's list look at the destination, then GET and POST."""
    session = requests.Session()
    for id in listed(source):
        if session.get(f"{dest.url}/instances/{id}", auth=dest.auth, timeout=60).status_code == 404:
            dicom = session.get(f"{source.url}/instances/{id}/file", auth=source.auth, timeout=60).content
            session.post(f"{dest.url}/instances", auth=dest.auth, data=dicom, timeout=60).raise_for_status()


def with_pyorthanc(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
    """Its client, one after the other."""
    from pyorthanc import Orthanc

    here = Orthanc(source.url, source.username, source.password)
    there = Orthanc(dest.url, dest.username, dest.password)
    for each in cohort:
        there.post_instances(content=here.get_instances_id_file(each.orthanc_id))


def with_api_client(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
    """Its client, one after the other."""
    from orthanc_api_client import OrthancApiClient

    here = OrthancApiClient(source.url, user=source.username, pwd=source.password)
    there = OrthancApiClient(dest.url, user=dest.username, pwd=dest.password)
    for each in cohort:
        there.upload(here.instances.get_file(each.orthanc_id))


def cloner(threads: int) -> Way:
    """Follows the change log of the source until it has met the last change."""

    def copy(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
        from orthanc_api_client import OrthancApiClient
        from orthanc_tools import OrthancCloner

        here = OrthancApiClient(source.url, user=source.username, pwd=source.password)
        there = OrthancApiClient(dest.url, user=dest.username, pwd=dest.password)
        working = OrthancCloner(here, there, worker_threads_count=threads, polling_interval=0.05)
        worker = threading.Thread(target=working.execute, kwargs={"existing_changes_only": True}, daemon=True)
        worker.start()
        worker.join()

    return copy


def lean(threads: int, together: int) -> Way:
    """GET and POST by http.client on kept connections; `together` files in a ZIP archive."""

    def copy(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
        def send(part: Sequence[Instance], get: Any, post: Any) -> None:
            files = [get("GET", f"/instances/{each.orthanc_id}/file") for each in part]
            post("POST", "/instances", files[0] if len(files) == 1 else archive(files))

        in_threads(threads, _parts(cohort, together), send, source, dest)

    return copy


def raw_posts(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
    """Nothing but the uploads: what the destination can take."""
    in_threads(
        4, _parts(cohort, 1), lambda part, _, post: post("POST", "/instances", part[0].data), source, dest
    )


def peer_parts(source: OrthancServer, dest: OrthancServer, cohort: Sequence[Instance]) -> None:
    """Orthanc's own transfer to a peer."""

    def send(part: Sequence[Instance], _: Any, __: Any) -> None:
        source.post(
            "/peers/dest/store", {"Resources": [each.orthanc_id for each in part], "Synchronous": True}
        )

    in_threads(4, _parts(cohort, 100), send, source, dest)


def in_threads(
    threads: int, parts: Sequence[Any], send: Callable[..., Any], source: OrthancServer, dest: OrthancServer
) -> None:
    """Each thread with connections of its own takes the next part."""
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for part in parts:
        todo.put(part)

    def work() -> None:
        get, post = _asker(source), _asker(dest)
        while True:
            try:
                part = todo.get_nowait()
            except queue.Empty:
                return
            send(part, get, post)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def listed(server: OrthancServer) -> list[str]:
    """All ids, in one request."""
    ids: list[str] = requests.get(f"{server.url}/instances", auth=server.auth, timeout=600).json()
    return ids


def each_asked(server: OrthancServer, ids: Sequence[str]) -> None:
    """A request for each id, on one connection."""
    session = requests.Session()
    for id in ids:
        session.get(f"{server.url}/instances/{id}", auth=server.auth, timeout=60)


def _asker(server: OrthancServer) -> Callable[..., bytes]:
    login = b64encode(f"{server.username}:{server.password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Accept-Encoding": "identity"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def ask(method: str, path: str, body: bytes | None = None) -> bytes:
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().read()
        except (ConnectionError, http.client.BadStatusLine):  # idle for a second: Orthanc hung up
            connection.close()
            connection.request(method, path, body, headers)
            return connection.getresponse().read()

    return ask


def _parts(cohort: Sequence[Instance], size: int) -> list[Sequence[Instance]]:
    return [cohort[start : start + size] for start in range(0, len(cohort), size)]
