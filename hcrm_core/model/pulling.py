"""The contract of an adapter that pulls: which question comes next, what an answer holds, and no connection in sight.

The core owns connections, credentials, retries, limits and the commit; an adapter only knows what to ask and how to
read the answer. What it knows between two questions is its position, a text of its own making that is committed
together with the messages it was reached by. So every protocol resumes where it was, and no adapter can be led to a
stranger's server.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from hcrm_core.model.translation import Problem, RawMessage

Seconds = Annotated[float, Meta(ge=0)]
Value = str | int | float | bool | None
"""What stands in a column: exact decimals, dates and times as text (ISO 8601), binary data as hexadecimal text."""


class HttpRequest(Struct, frozen=True, kw_only=True, tag="http"):
    """A question to a web server.

    Attributes:
        url: Absolute; its origin must be that of the source's `url` or one of its `origins`.
        method: Of HTTP.
        headers: Beyond those the core sets (authentication, host, length).
        body: Of the request.
        lines: Whether the body of a good answer (2xx) is handed over in pieces of whole lines as it comes, for bodies
            of any length; otherwise it is handed over whole. The answer 401 is handed over too, since a link to a file
            may have expired; otherwise it ends the pull.
        skip: How many lines of it to pass over, which were handed over before.
        authenticate: Whether the core proves who asks; not to a file whose address is itself the proof (FHIR Bulk
            Data `requiresAccessToken: false`).
    """

    url: str
    method: Literal["GET", "POST", "DELETE"] = "GET"
    headers: dict[str, str] = {}
    body: bytes = b""
    lines: bool = False
    skip: Annotated[int, Meta(ge=0)] = 0
    authenticate: bool = True


class SqlQuery(Struct, frozen=True, kw_only=True, tag="sql"):
    """A question to the database at the source's `url`, which is asked read-only; its rows are handed over in pieces.

    Attributes:
        statement: One `SELECT`, parameters written `:name`.
        parameters: By name.
    """

    statement: str
    parameters: dict[str, Value] = {}


class HttpResponse(Struct, frozen=True, kw_only=True, tag="http"):
    """An answer of a web server that was reached. Answers that are worth asking again (429, 502, 503, 504) have been.

    Attributes:
        status: Of HTTP.
        headers: By name in lower case; `retry-after` is always in seconds, whichever form the server used, and `date`
            is always there: when it was answered by the server's clock, by ours where the server does not say.
        body: All of it, or a piece of whole lines.
        line: The number of the piece's first line in the whole body, from 0.
        last: Whether nothing of it follows.
    """

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    line: int = 0
    last: bool = True


class Rows(Struct, frozen=True, kw_only=True, tag="rows"):
    """Rows a database gave.

    Attributes:
        columns: Their names.
        rows: In the order given.
        last: Whether no more follow.
        asked_at: When the question was asked, microseconds since 1970 UTC; 0 where nobody says.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...] = ()
    last: bool = True
    asked_at: int = 0


class Pulled(Struct, frozen=True, kw_only=True):
    """What a piece of an answer came to.

    Attributes:
        position: Where to go on; committed with the messages. After the last piece the next question is asked from it,
            and after an interruption too.
        messages: In the order they came.
        problems: What people should know of the answer; none of them holds personal data.
        done: Whether all is known for now: this pull ends with the answer, and the next one asks from the position.
        unread: Of a pull that is done, what it asked for and could not read (`Patient`); why stands in its problems.
            Such a pull was not one to the end, and the next asks for it again.
        failed: Whether that is all it asked for.
        wait: How long to wait before the next question.
        progress: For people, what is being done: `Patient, page 3`.
    """

    position: str
    messages: tuple[RawMessage, ...] = ()
    problems: tuple[Problem, ...] = ()
    done: bool = False
    unread: tuple[str, ...] = ()
    failed: bool = False
    wait: Seconds = 0.0
    progress: str = ""


class Authentication(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[sources.NAME.authentication]`: how the core proves to a web server who asks. Secrets are read from files.

    Attributes:
        method: `bearer`: the token in `secret_file`. `basic`: user `client_id`, password in `secret_file`.
            `client_secret`: OAuth 2 client credentials. `private_key_jwt`: SMART backend services, with the
            private key (PEM) in `secret_file`.
        secret_file: File of the secret, which nobody else may read; relative to the workspace.
        client_id: Who the client is.
        token_url: Where tokens are given; the token endpoint of the server's SMART configuration where not given.
        scope: What is asked for.
        key_id: Of the key, as the server knows it.
        algorithm: Of the signature.
    """

    method: Literal["bearer", "basic", "client_secret", "private_key_jwt"]
    secret_file: str
    client_id: str = ""
    token_url: str | None = None
    scope: str = "system/*.read"
    key_id: str | None = None
    algorithm: Literal["RS384", "ES384"] = "RS384"


class PullSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[sources.NAME.pull]`: how a source is asked.

    Attributes:
        every_seconds: How often `hcrm run --watch` asks; it does not where not given.
        origins: Further origins (`https://files.example.org`) that the source's server may send us to.
        ca: PEM file of the authorities whose server certificates are accepted; the system's where not given.
        plaintext: Whether a server beyond this machine may be asked without TLS.
        requests_per_second: The most that are sent.
        connect_seconds: For reaching the server.
        read_seconds: For each piece of an answer.
        tries: How often a question is asked before giving up for this time.
        page_bytes: The longest answer that is handed over whole.
        line_bytes: The longest line of an answer that is handed over in pieces.
    """

    every_seconds: Annotated[float, Meta(gt=0)] | None = None
    origins: tuple[str, ...] = ()
    ca: str | None = None
    plaintext: bool = False
    requests_per_second: Annotated[float, Meta(gt=0)] = 10.0
    connect_seconds: Annotated[float, Meta(gt=0)] = 10.0
    read_seconds: Annotated[float, Meta(gt=0)] = 60.0
    tries: Annotated[int, Meta(ge=1)] = 6
    page_bytes: Annotated[int, Meta(ge=1)] = 64 * 1024 * 1024
    line_bytes: Annotated[int, Meta(ge=1)] = 8 * 1024 * 1024
