"""Prove to a web server who asks: by a token or password from a file, or by a token fetched with it.

OAuth 2 client credentials (RFC 6749 §4.4), the client known by its secret or, as SMART backend services want it
(HL7 SMART App Launch 2.2, "Client Authentication: Asymmetric"), by a signature of its private key (RFC 7523).
"""

import base64
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote_plus, urlencode

import msgspec
from msgspec import Struct

from hcrm_core.errors import ConfigurationError, FetchError
from hcrm_core.fetching.clock import Clock
from hcrm_core.fetching.secret import read_secret
from hcrm_core.model.pulling import Authentication, HttpRequest, HttpResponse

T = TypeVar("T", bound=Struct)
Ask = Callable[[HttpRequest, Mapping[str, str]], HttpResponse]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
"""How long an assertion holds: five minutes, the most that SMART allows."""

SPARE_SECONDS = 30.0
"""A token is fetched anew so long before it ends."""


class _Token(Struct):
    access_token: str
    token_type: str = "Bearer"
    expires_in: float = 300.0


class _Smart(Struct):
    token_endpoint: str


class Proof:
    """The headers that prove who asks."""

    def __init__(
        self, settings: Authentication, url: str, secret: Path, where: Callable[[str], str], ask: Ask, clock: Clock
    ) -> None:
        """Read the secret.

        Args:
            settings: Of the source.
            url: The source's, for its SMART configuration.
            secret: The file of the secret.
            where: Key of the settings → what names it, for errors.
            ask: Asks a web server whole, once.
            clock: By which tokens end.

        Raises:
            ConfigurationError: A setting is missing, or the secret cannot be had.
        """
        self._settings = settings
        self._url = url
        self._where = where
        self._ask = ask
        self._clock = clock
        self._secret = read_secret(secret, where("secret_file"))
        self._token = ""
        self._until = 0.0
        if settings.method != "bearer" and not settings.client_id:
            raise ConfigurationError(
                f"{where('method')}: authentication.method = {settings.method!r} needs client_id beside it."
            )
        if settings.method == "private_key_jwt":
            self._signed("https://token.invalid")  # a wrong key is named now, and not at night
        if settings.method in ("bearer", "basic") and not (self._secret.isascii() and self._secret.isprintable()):
            raise ConfigurationError(f"{where('secret_file')}: the secret has characters that no header can carry.")

    @property
    def renews(self) -> bool:
        """Whether a token that is refused can be fetched anew."""
        return self._settings.method in ("client_secret", "private_key_jwt")

    def forget(self) -> None:
        """Fetch a new token the next time."""
        self._token = ""

    def headers(self) -> dict[str, str]:
        """What to send; fetches a token where there is none, or it ends soon.

        Raises:
            FetchError: The server gives none.
            UnavailableError: It may the next time.
        """
        match self._settings.method:
            case "bearer":
                return {"Authorization": f"Bearer {self._secret}"}
            case "basic":
                return {"Authorization": _basic(self._settings.client_id, self._secret)}
        if not self._token or self._clock.monotonic() >= self._until:
            self._fetch()
        return {"Authorization": f"Bearer {self._token}"}

    def _fetch(self) -> None:
        endpoint = self._settings.token_url or self._discovered()
        form = {"grant_type": "client_credentials", "scope": self._settings.scope}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if self._settings.method == "client_secret":
            # RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
            headers["Authorization"] = _basic(quote_plus(self._settings.client_id), quote_plus(self._secret))
        else:
            form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._signed(endpoint)}
        asked_at = self._clock.monotonic()
        answer = self._ask(HttpRequest(url=endpoint, method="POST", body=urlencode(form).encode()), headers)
        if answer.status != 200:
            raise FetchError(
                f"The token server refuses us with status {answer.status}{_reason(answer.body)}. Check client_id, the "
                "secret or key, and scope under the source's authentication."
            )
        token = _read(answer.body, _Token, "token server gives no token")
        usable = token.access_token.isascii() and token.access_token.isprintable()
        if token.token_type.lower() != "bearer" or not usable:
            raise FetchError("The token server gives a token that is no bearer token.")
        self._token = token.access_token
        # Half of one that holds less than a minute.
        self._until = asked_at + max(token.expires_in - SPARE_SECONDS, token.expires_in / 2)

    def _discovered(self) -> str:
        """The token endpoint of the server's SMART configuration."""
        url = f"{self._url.rstrip('/')}/.well-known/smart-configuration"
        answer = self._ask(HttpRequest(url=url), {"Accept": "application/json"})
        if answer.status != 200:
            raise FetchError(
                f"The server has no SMART configuration (status {answer.status}) to learn from where tokens are given. "
                "Name it as token_url under the source's authentication."
            )
        return _read(answer.body, _Smart, "SMART configuration names no token_endpoint").token_endpoint

    def _signed(self, audience: str) -> str:
        """The assertion of SMART backend services."""
        import jwt  # with its cryptography it takes longer to load than all the rest

        now = int(self._clock.now())
        claims = {
            "iss": self._settings.client_id,
            "sub": self._settings.client_id,
            "aud": audience,
            "exp": now + ASSERTION_SECONDS,
            "iat": now,
            "jti": uuid.uuid4().hex,
        }
        named = {"kid": self._settings.key_id} if self._settings.key_id else {}
        try:
            return jwt.encode(claims, self._secret, algorithm=self._settings.algorithm, headers=named)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise ConfigurationError(
                f"{self._where('secret_file')}: the file holds no private key in PEM that signs with "
                f"{self._settings.algorithm}. RS384 takes an RSA key, ES384 one on the curve P-384."
            ) from None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _read(body: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.DecodeError:
        raise FetchError(f"The {what}. Is its address right?") from None


def _reason(body: bytes) -> str:
    """The error's code of RFC 6749 §5.2, which is one of a few words."""
    try:
        code = msgspec.json.decode(body, type=dict[str, object]).get("error")
    except msgspec.DecodeError:
        return ""
    return f" ({code})" if isinstance(code, str) and code.replace("_", "").isalpha() and len(code) < 40 else ""
