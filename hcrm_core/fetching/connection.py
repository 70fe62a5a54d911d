"""One connection to one origin: its name is looked up once, and that very address is checked and connected to.

So a name that answers otherwise a moment later leads nowhere else, and TLS still proves the name. No proxy and no
setting of the environment takes part.
"""

import http.client
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

from hcrm_core.errors import FetchError, UnavailableError
from hcrm_core.fetching.origin import Origin
from hcrm_core.model.pulling import PullSettings


class Connection:
    """A connection, opened when it is first used and anew when it was closed."""

    def __init__(self, origin: Origin, settings: PullSettings, tls: Callable[[], ssl.SSLContext]) -> None:
        """Args:
        origin: Of the server; whether it may be asked at all is settled before.
        settings: Of the source.
        tls: Gives what server certificates are checked by.
        """
        self._origin = origin
        self._settings = settings
        self._tls = tls
        self._http = http.client.HTTPConnection(origin.host, origin.port)
        self._http.auto_open = 0
        self._sock: socket.socket | None = None  # the answer's too, when the connection has let go of it

    def exchange(self, method: str, target: str, headers: dict[str, str], body: bytes) -> http.client.HTTPResponse:
        """Send a question and read the head of its answer; the body is read from what is returned.

        Raises:
            UnavailableError: The server cannot be reached, or breaks off.
            FetchError: It is not who it should be, or speaks no HTTP.
        """
        if self._http.sock is not None and self._gone(self._http.sock):
            self.close()
        try:
            if self._http.sock is None:
                self._http.sock = self._sock = self._open()
            with _shut(self._http.sock, self._settings.read_seconds):
                self._http.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
                self._http.putheader("Host", self._origin.authority)
                for name, value in headers.items():
                    self._http.putheader(name, value)
                if body or method == "POST":
                    self._http.putheader("Content-Length", str(len(body)))
                self._http.endheaders(body or None)
                answer = self._http.getresponse()
            return answer
        except TimeoutError:
            self.close()
            raise UnavailableError(
                f"{self._origin} did not answer within {self._settings.read_seconds:g} seconds."
            ) from None
        except (http.client.HTTPException, OSError) as error:
            self.close()
            tls = self._origin.scheme == "http" and isinstance(error, http.client.BadStatusLine)
            hint = " If its port speaks TLS, write https:// in hcrm.toml." if tls else ""
            raise UnavailableError(
                f"{self._origin} broke off while it was asked ({type(error).__name__}).{hint}"
            ) from None

    def close(self) -> None:
        """End it."""
        self._http.close()

    def abort(self) -> None:
        """End it while another thread waits for its answer."""
        if self._sock is not None:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    def _open(self) -> socket.socket:
        problem: Exception | None = None
        for address in self._addresses():
            try:
                return self._connected(address)
            except ssl.SSLCertVerificationError as error:
                raise FetchError(
                    f"{self._origin} shows a certificate that is not its own or that we do not trust "
                    f"({error.verify_message.rstrip('.')}). If it is the hospital's own authority's, name its PEM file "
                    "in the source's pull.ca."
                ) from None
            except ssl.SSLError as error:
                if "WRONG_VERSION_NUMBER" in str(error):
                    raise FetchError(
                        f"{self._origin} does not speak TLS at this port. If it is right that it speaks plain text, "
                        "write http:// in hcrm.toml; else ask for the port of its https://."
                    ) from None
                problem = error
            except OSError as error:
                problem = error
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise UnavailableError(f"{self._origin} cannot be reached ({reason}).")

    def _addresses(self) -> list[str]:
        host, port = self._origin.host, self._origin.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise UnavailableError(f"The name {host} cannot be looked up.") from None
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def _connected(self, address: str) -> socket.socket:
        plain = self._origin.scheme == "http"
        if plain and not self._settings.plaintext and not ip_address(address.partition("%")[0]).is_loopback:
            raise FetchError(
                f"{self._origin} is beyond this machine and speaks plain text, which shows patient data to everybody "
                "on the way. Use https://, or say plaintext = true under the source's pull."
            )
        sock = socket.create_connection((address, self._origin.port), self._settings.connect_seconds)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not plain:
                with _shut(sock, self._settings.connect_seconds):
                    sock = self._tls().wrap_socket(sock, server_hostname=self._origin.host)
            sock.settimeout(self._settings.read_seconds)
        except BaseException:
            sock.close()
            raise
        return sock

    @staticmethod
    def _gone(sock: socket.socket) -> bool:
        """Whether a connection at rest has ended: there is nothing else to read between questions."""
        return bool(select.select([sock], [], [], 0)[0])


@contextmanager
def _shut(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Shut a socket when a block takes too long as a whole: a server could draw it out byte by byte.

    Raises:
        TimeoutError: It did.
    """
    late = threading.Event()

    def shut() -> None:
        late.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
