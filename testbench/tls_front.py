"""HTTPS before a server that speaks plain HTTP: TLS ends here, the bytes go on unchanged.

Needed because Debian's Orthanc dies of SIGSEGV inside libcivetweb at the first HTTPS request (seen with
1.10.1 and 1.12.7, whatever the options). Sites put nginx before Orthanc; the bench puts this.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import threading
from pathlib import Path


class TlsFront:
    """Listens on loopback from construction until ``close()``, in a thread of its own.

    Raises OSError when the port is taken.
    """

    def __init__(self, port: int, backend_port: int, server_pem: Path) -> None:
        self._backend_port = backend_port
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(server_pem)
        self._connections: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"tls-front-{port}", daemon=True)
        self._thread.start()  # not in the caller's thread, which may have a loop of its own
        try:
            self._server = asyncio.run_coroutine_threadsafe(
                asyncio.start_server(self._serve, "127.0.0.1", port, ssl=context), self._loop
            ).result(timeout=10)
        except OSError:
            self._end()
            raise

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(timeout=10)
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _shut(self) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for end in tuple(self._ends):  # of a connection that was cancelled while it hung up
            end.transport.abort()
        await asyncio.sleep(0.01)  # an aborted transport closes its socket in a later turn of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        ends, pumps = [writer], []
        self._ends.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                answers, upstream = await asyncio.open_connection("127.0.0.1", self._backend_port)
                ends.append(upstream)
                self._ends.add(upstream)
                pumps += [
                    asyncio.create_task(_pump(reader, upstream)),
                    asyncio.create_task(_pump(answers, writer)),
                ]
                # Over when either side hangs up: HTTP needs no half-closed connections.
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await asyncio.gather(*map(_hang_up, ends))
            self._ends.difference_update(ends)
            self._connections.discard(task)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


async def _hang_up(end: asyncio.StreamWriter) -> None:
    """Close, flushing; an idle client does not answer TLS's goodbye, for which asyncio would wait 30 s."""
    end.close()
    try:
        await asyncio.wait_for(end.wait_closed(), timeout=0.2)
    except (OSError, TimeoutError):
        end.transport.abort()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a loopback certificate that is its own CA: (``ca.pem`` for clients, ``server.pem`` with the key).

    Key usage is named because Python 3.13 verifies strictly (VERIFY_X509_STRICT) and refuses a CA without it.
    """
    authority, server = folder / "ca.pem", folder / "server.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        "/CN=localhost",
    ]
    for extension in (
        "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "keyUsage=critical,digitalSignature,keyCertSign",
    ):
        command += ["-addext", extension]
    subprocess.run(
        [*command, "-keyout", str(server), "-out", str(authority)], check=True, capture_output=True
    )
    with server.open("a") as both:
        both.write(authority.read_text())
    return authority, server
