"""Ask what an adapter wants to know, of a web server or a database, by a source's settings."""

import random
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from hcrm_core.errors import ConfigurationError, FetchError
from hcrm_core.fetching.authentication import Proof
from hcrm_core.fetching.clock import Clock
from hcrm_core.fetching.http import Web
from hcrm_core.fetching.origin import Address, Allowed, parse
from hcrm_core.fetching.patience import Patience
from hcrm_core.fetching.secret import read_secret
from hcrm_core.model.adapters import SourceSettings
from hcrm_core.model.pulling import HttpRequest, HttpResponse, Rows, SqlQuery
from hcrm_core.store.foreign import ForeignDatabase

Place = Callable[..., str]
"""Keys below a source's table → what names them, for errors."""


class Fetcher:
    """What one source is asked through. Of one thread at a time."""

    def __init__(self, settings: SourceSettings, root: Path, where: Place, clock: Clock) -> None:
        """Check the settings; nothing is connected yet.

        Args:
            settings: Of the source.
            root: The workspace, to which its files are relative.
            where: What names a setting.
            clock: Of waits and limits.

        Raises:
            ConfigurationError: A setting is wrong, or a file it names.
        """
        self._settings = settings
        self._root = root
        self._where = where
        self._clock = clock
        if settings.url is None:
            raise ConfigurationError(f"{where()}: the source has no url to be pulled from. Add it.")
        self._url = settings.url
        self._context: ssl.SSLContext | None = None
        self._web = self._proof = self._database = None
        if self._url.lower().startswith(("http://", "https://")):
            self._web, self._proof = self._opened_web()
        else:
            self._database = self._opened_database()

    def ask(self, question: HttpRequest | SqlQuery) -> Iterator[HttpResponse | Rows]:
        """Ask once; the pieces of the answer as they come.

        Raises:
            FetchError: There is no answer of use.
            UnavailableError: There may be one if it is asked again.
            PluginError: The adapter asks what it must not.
        """
        if isinstance(question, SqlQuery):
            if self._database is None:
                raise FetchError("The adapter asks a database, but the source's url is a web server's. Mend url.")
            return self._database.ask(question)
        if self._web is None:
            raise FetchError("The adapter asks a web server, but the source's url is a database's. Mend url.")
        return self._asked(self._web, question)

    def patience(self) -> Patience:
        """For what goes wrong on the way."""
        return Patience(self._settings.pull.tries, self._clock, random.Random())

    def abort(self) -> None:
        """End what another thread is asking."""
        if self._web:
            self._web.abort()

    def close(self) -> None:
        """End all connections."""
        if self._web:
            self._web.close()
        if self._database:
            self._database.close()

    def _asked(self, web: Web, question: HttpRequest) -> Generator[HttpResponse]:
        proof = self._proof if question.authenticate else None
        answer = web.ask(question, proof.headers() if proof else {})
        first = next(answer)
        if first.status == 401 and proof and proof.renews:
            answer.close()
            proof.forget()
            answer = web.ask(question, proof.headers())
            first = next(answer)
        if first.status == 401 and not question.lines:  # links to files may have expired
            raise FetchError(
                "The server does not accept who we say we are (status 401). Check the source's authentication."
                if self._proof
                else "The server wants to know who asks (status 401). Add [authentication] to the source."
            )
        yield first
        yield from answer

    def _opened_web(self) -> tuple[Web, Proof | None]:
        settings = self._settings
        own = self._address(self._url, "url")
        loopback = own.origin.host == "localhost" or _is_loopback(own.origin.host)
        if own.origin.scheme == "http" and not settings.pull.plaintext and not loopback:
            raise ConfigurationError(
                f"{self._where('url')}: {own.origin} speaks plain text, which shows patient data to everybody on the "
                "way. Use https://, or say plaintext = true under the source's pull."
            )
        further = [self._address(origin, "pull", "origins") for origin in settings.pull.origins]
        for address in further:
            if address.target != "/":
                raise ConfigurationError(
                    f"{self._where('pull', 'origins')}: an origin ends with its host or port: {address.origin}"
                )
        allowed = Allowed(frozenset(address.origin for address in (own, *further)))
        if settings.pull.ca is not None:
            self._tls()  # a file that is none is named now
        web = Web(allowed, settings.pull, self._tls, self._clock)
        if settings.authentication is None:
            return web, None

        def ask(request: HttpRequest, headers: Mapping[str, str]) -> HttpResponse:
            return next(web.ask(request, headers))

        secret = self._root / settings.authentication.secret_file
        place = lambda key: self._where("authentication", key)  # noqa: E731
        if settings.authentication.token_url is not None:
            try:
                allowed.require(settings.authentication.token_url)
            except FetchError as error:
                raise ConfigurationError(f"{place('token_url')}: {error}") from None
        return web, Proof(settings.authentication, self._url, secret, place, ask, self._clock)

    def _opened_database(self) -> ForeignDatabase:
        settings = self._settings
        password = None
        if settings.password_file is not None:
            password = read_secret(self._root / settings.password_file, self._where("password_file"))
        try:
            return ForeignDatabase(self._url, self._root, password, settings.pull)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self._where('url')}: {error}") from None

    def _tls(self) -> ssl.SSLContext:
        """What server certificates are checked by; made when it is needed, since it takes a while."""
        if self._context is None:
            self._context = self._made_context()
        return self._context

    def _made_context(self) -> ssl.SSLContext:
        file = None if self._settings.pull.ca is None else self._root / self._settings.pull.ca
        try:
            return ssl.create_default_context(cafile=file)
        except OSError:  # of which ssl.SSLError is one
            raise ConfigurationError(
                f"{self._where('pull', 'ca')}: {file} is no readable PEM file of certificates. Check the path."
            ) from None

    def _address(self, url: str, *keys: str) -> Address:
        try:
            return parse(url)
        except ValueError as error:
            raise ConfigurationError(f"{self._where(*keys)}: the address {error}.") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
