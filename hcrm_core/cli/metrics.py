"""The optional port of `hcrm run --watch` from which Prometheus reads how intake is doing."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hcrm_core.errors import ConfigurationError
from hcrm_core.intake.guard import parse_address
from hcrm_core.store.engine import UNAVAILABLE

CONTENT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Answers `GET /metrics` until closed."""

    def __init__(self, address: str, where: str, text: Callable[[], str]) -> None:
        """Args:
        address: `HOST:PORT`.
        where: File and line of the setting, for errors.
        text: Gives the exposition.

        Raises:
            ConfigurationError: The address cannot be bound.
        """
        try:
            self._server = ThreadingHTTPServer(parse_address(address, where), _handler(text))
        except OSError as error:
            raise ConfigurationError(f"{where}: {address} cannot be listened on: {error.strerror}.") from None
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    @property
    def name(self) -> str:
        """`HOST:PORT` as bound."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            try:
                body = text().encode()
            except UNAVAILABLE:
                self.send_error(503, "The store cannot be reached")
                return
            self.send_response(200)
            self.send_header("Content-Type", CONTENT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a scrape every few seconds is no news."""

    return Handler
