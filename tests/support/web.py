"""Web servers on real sockets: what they are asked is noted, and what they answer may be broken in any way."""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A question that came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What to answer.

    Attributes:
        status: Of HTTP.
        body: All of it.
        headers: Beside Content-Length.
        cut: Close the connection after so many bytes of the body.
        drip: Called before each byte of the body, which is sent byte by byte.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    cut: int | None = None
    drip: Callable[[], object] | None = None


def shown(value: Any, **more: Any) -> Answer:
    """JSON."""
    return Answer(body=json.dumps(value, ensure_ascii=False).encode(), **more)


class WebServer:
    """A server in threads of its own; use it as a context manager."""

    def __init__(
        self,
        answer: Callable[[Asked], Answer],
        certificate: tuple[str, str] | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """Args:
        answer: To each question.
        certificate: Files of certificate and key, for TLS.
        address: To listen on.
        """
        self.asked: list[Asked] = []
        self.connections = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                question = Asked(self.command, self.path, headers, body)
                server.asked.append(question)
                self.give(answer(question))

            do_POST = do_DELETE = do_GET

            def give(self, given: Answer) -> None:
                self.send_response_only(given.status)
                for name, value in ({"Date": self.date_time_string()} | dict(given.headers)).items():
                    self.send_header(name, value)
                if "Transfer-Encoding" not in given.headers and "Content-Length" not in given.headers:
                    self.send_header("Content-Length", str(len(given.body)))
                self.end_headers()
                body = given.body if given.cut is None else given.body[: given.cut]
                try:
                    if given.drip:
                        for place in range(len(body)):
                            given.drip()
                            self.wfile.write(body[place : place + 1])
                            self.wfile.flush()
                    else:
                        self.wfile.write(body)
                except OSError:
                    self.close_connection = True
                if given.cut is not None:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def get_request(self) -> Any:
                accepted = super().get_request()
                server.connections += 1
                return accepted

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(address, Handler)
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"{self.scheme}://localhost:{self.port}"

    def __enter__(self) -> "WebServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
