"""Ask a web server: to its own origins only, without following it anywhere, and with limits on all it sends."""

import http.client
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from email.utils import formatdate

from hcrm_core.errors import FetchError, PluginError, UnavailableError
from hcrm_core.fetching.body import arriving, pieces, unpacked, whole
from hcrm_core.fetching.clock import Clock
from hcrm_core.fetching.connection import Connection
from hcrm_core.fetching.origin import Allowed, Origin
from hcrm_core.fetching.patience import Pace, retry_after
from hcrm_core.model.pulling import HttpRequest, HttpResponse, PullSettings

AGAIN = frozenset({429, 502, 503, 504})
"""Answers that are worth asking again."""

_NOT_MODIFIED = 304
_OURS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers no adapter sets."""

USER_AGENT = "hcrm"


class Web:
    """The web servers of a source. Of one thread at a time."""

    def __init__(
        self, allowed: Allowed, settings: PullSettings, tls: Callable[[], ssl.SSLContext], clock: Clock
    ) -> None:
        """Args:
        allowed: Where it may be asked.
        settings: How.
        tls: Gives what server certificates are checked by.
        clock: Of waits and limits.
        """
        self._allowed = allowed
        self._settings = settings
        self._tls = tls
        self._clock = clock
        self._pace = Pace(settings.requests_per_second, clock)
        self._connections: dict[Origin, Connection] = {}

    def ask(self, request: HttpRequest, headers: Mapping[str, str]) -> Generator[HttpResponse]:
        """Ask once; the answer comes whole, or in pieces where that was asked for and the answer is a good one.

        Args:
            request: The question.
            headers: Of the core, authentication among them.

        Raises:
            FetchError: Its address is refused, or its answer is of no use.
            UnavailableError: It may go well if it is asked again.
            PluginError: The adapter sets a header that is the core's.
        """
        address = self._allowed.require(request.url)
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **_own(request.headers), **headers}
        self._pace.keep()
        connection = self._connections.get(address.origin)
        if connection is None:
            connection = self._connections[address.origin] = Connection(address.origin, self._settings, self._tls)
        answer = connection.exchange(request.method, address.target, sent, request.body)
        done = False
        try:
            yield from self._read(request, address.origin, answer)
            done = True
        except (http.client.HTTPException, OSError) as error:
            raise UnavailableError(f"The answer of {address.origin} broke off ({type(error).__name__}).") from None
        finally:
            answer.close()
            if not done:
                connection.close()

    def abort(self) -> None:
        """End what another thread is asking."""
        for connection in list(self._connections.values()):
            connection.abort()

    def close(self) -> None:
        """End all connections."""
        for connection in self._connections.values():
            connection.close()

    def _read(self, request: HttpRequest, origin: Origin, answer: http.client.HTTPResponse) -> Iterator[HttpResponse]:
        status = answer.status
        headers = self._headers(answer)
        if status in AGAIN:
            after = headers.get("retry-after")
            raise UnavailableError(f"{origin} answered with status {status}.", float(after) if after else None)
        if 300 <= status < 400 and status != _NOT_MODIFIED:
            raise FetchError(
                f"{origin} sends us elsewhere (status {status}), which is never followed. If the address in hcrm.toml "
                "is out of date, write the new one there."
            )
        chunks = unpacked(self._body(origin, answer), headers.get("content-encoding", "").strip().lower())
        if request.lines and 200 <= status < 300:
            for piece in pieces(chunks, request.skip, self._settings.line_bytes):
                yield HttpResponse(status=status, headers=headers, body=piece.body, line=piece.line, last=piece.last)
        else:
            yield HttpResponse(status=status, headers=headers, body=whole(chunks, self._settings.page_bytes))

    def _body(self, origin: Origin, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        yield from arriving(answer.read1, self._clock.monotonic, self._settings.read_seconds)
        if answer.length:
            raise UnavailableError(f"The answer of {origin} ends {answer.length:,} bytes early.")

    def _headers(self, answer: http.client.HTTPResponse) -> dict[str, str]:
        headers: dict[str, str] = {}
        for name, value in answer.getheaders():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        seconds = retry_after(headers.pop("retry-after", None), self._clock.now())
        if seconds is not None:
            headers["retry-after"] = f"{seconds:.0f}"
        if retry_after(headers.get("date"), 0.0) is None:
            headers["date"] = formatdate(self._clock.now(), usegmt=True)
        return headers


def _own(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The adapter's headers.

    Raises:
        PluginError: One of them is the core's to set, or breaks the line.
    """
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise PluginError(f"The adapter sets the header {name}, which is the core's. Report it to its author.")
        if not (name.isascii() and value.isprintable() and value.isascii()):
            raise PluginError("The adapter sets a header that is none. Report it to its author.")
    return headers
