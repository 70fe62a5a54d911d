"""Proofs of who asks: what goes over the wire is what the standards say, and tokens are fetched no more than needed."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.pulling import StillClock, asked, fetcher
from support.web import Answer, Asked, WebServer, shown

from hcrm_core.errors import ConfigurationError, FetchError, UnavailableError

KEYS: dict[str, Any] = {
    "RS384": rsa.generate_private_key(65_537, 2_048),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
}
OTHERS: dict[str, Any] = {
    "RS384": rsa.generate_private_key(65_537, 2_048),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
}


class SmartServer:
    """A FHIR server of SMART backend services: it gives tokens, and people to whoever has one that still holds."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.lasts = 300
        self.refuse_tokens: Answer | None = None
        self.revoked: set[str] = set()
        self.server = WebServer(self)

    def __call__(self, question: Asked) -> Answer:
        if question.target == "/fhir/.well-known/smart-configuration":
            return shown({"token_endpoint": f"{self.server.url}/token", "capabilities": []})
        if question.target == "/token":
            self.forms.append({key: values[0] for key, values in parse_qs(question.body.decode()).items()})
            if self.refuse_tokens:
                return self.refuse_tokens
            self.tokens.append(f"token-{len(self.tokens)}")
            return shown({"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": self.lasts})
        sent = question.headers.get("authorization", "").removeprefix("Bearer ")
        return Answer(200 if sent in self.tokens and sent not in self.revoked else 401)


@pytest.fixture
def smart() -> Iterator[SmartServer]:
    made = SmartServer()
    with made.server:
        yield made


def kept(root: Path, text: str, name: str = "secret") -> str:
    """A file only its owner may read."""
    (root / name).write_text(text, encoding="utf-8")
    (root / name).chmod(0o600)
    return name


def pem(algorithm: str) -> str:
    key = KEYS[algorithm]
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_an_assertion_is_signed_so_that_the_public_key_proves_it(
    smart: SmartServer, tmp_path: Path, algorithm: str
) -> None:
    clock = StillClock()
    given = {
        "method": "private_key_jwt", "client_id": "hcrm", "secret_file": kept(tmp_path, pem(algorithm)),
        "key_id": "k1", "algorithm": algorithm, "scope": "system/Patient.rs",
    }  # fmt: skip
    url = f"{smart.server.url}/fhir"
    through = fetcher(tmp_path, url, clock=clock, authentication=given)
    assert asked(through, f"{url}/Patient")[0].status == 200
    (form,) = smart.forms
    assert form["grant_type"] == "client_credentials" and form["scope"] == "system/Patient.rs"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assertion = form["client_assertion"]
    assert jwt.get_unverified_header(assertion) == {"alg": algorithm, "kid": "k1", "typ": "JWT"}
    claims = jwt.decode(
        assertion, KEYS[algorithm].public_key(), algorithms=[algorithm], audience=f"{smart.server.url}/token",
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert claims["iss"] == claims["sub"] == "hcrm" and claims["exp"] == int(clock.now()) + 300 and claims["jti"]
    with pytest.raises(jwt.InvalidSignatureError):
        other = (
            rsa.generate_private_key(65_537, 2_048) if algorithm == "RS384" else ec.generate_private_key(ec.SECP384R1())
        )
        jwt.decode(assertion, other.public_key(), algorithms=[algorithm], options={"verify_aud": False})


def test_every_assertion_is_another(smart: SmartServer, tmp_path: Path) -> None:
    given = {"method": "private_key_jwt", "client_id": "hcrm", "secret_file": kept(tmp_path, pem("ES384")),
             "algorithm": "ES384"}  # fmt: skip
    url = f"{smart.server.url}/fhir"
    for _ in range(3):
        asked(fetcher(tmp_path, url, authentication=given), f"{url}/Patient")
    assert (
        len({jwt.decode(form["client_assertion"], options={"verify_signature": False})["jti"] for form in smart.forms})
        == 3
    )


def secretive(root: Path, **more: str) -> dict[str, str]:
    return {"method": "client_secret", "client_id": "h:c", "secret_file": kept(root, "p%ss +word\n"), **more}


def test_a_client_secret_is_sent_as_the_standard_says(smart: SmartServer, tmp_path: Path) -> None:
    url = f"{smart.server.url}/fhir"
    asked(fetcher(tmp_path, url, authentication=secretive(tmp_path)), f"{url}/Patient")
    sent = next(one.headers["authorization"] for one in smart.server.asked if one.target == "/token")
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"h%3Ac:p%25ss+%2Bword"


def test_a_token_is_fetched_once_and_again_shortly_before_it_ends(smart: SmartServer, tmp_path: Path) -> None:
    clock = StillClock()
    url = f"{smart.server.url}/fhir"
    through = fetcher(tmp_path, url, clock=clock, authentication=secretive(tmp_path))
    for _ in range(5):
        asked(through, f"{url}/Patient")
    assert len(smart.tokens) == 1
    clock.passed += 269
    asked(through, f"{url}/Patient")
    assert len(smart.tokens) == 1
    clock.passed += 2
    asked(through, f"{url}/Patient")
    assert len(smart.tokens) == 2


def test_a_token_that_was_revoked_is_fetched_anew_once(smart: SmartServer, tmp_path: Path) -> None:
    url = f"{smart.server.url}/fhir"
    through = fetcher(tmp_path, url, authentication=secretive(tmp_path, token_url=f"{smart.server.url}/token"))
    asked(through, f"{url}/Patient")
    smart.revoked.add("token-0")
    assert asked(through, f"{url}/Patient")[0].status == 200
    assert smart.tokens == ["token-0", "token-1"]
    smart.revoked |= {f"token-{n}" for n in range(9)}
    with pytest.raises(FetchError, match="does not accept who we say we are"):
        asked(through, f"{url}/Patient")
    assert len(smart.tokens) == 3
    assert not any("well-known" in one.target for one in smart.server.asked)


def test_a_token_server_that_refuses_is_told_by_its_code_and_one_that_is_busy_is_asked_again(
    smart: SmartServer, tmp_path: Path
) -> None:
    url = f"{smart.server.url}/fhir"
    through = fetcher(tmp_path, url, authentication=secretive(tmp_path))
    smart.refuse_tokens = Answer(400, json.dumps({"error": "invalid_client", "error_description": "张伟"}).encode())
    with pytest.raises(FetchError, match=r"status 400 \(invalid_client\)") as error:
        asked(through, f"{url}/Patient")
    assert "张伟" not in str(error.value) and "word" not in str(error.value)
    for odd in (Answer(200, b"<html>"), Answer(200, b'{"access_token": "a\\r\\nb"}'),
                Answer(200, b'{"access_token": "a", "token_type": "mac"}'), Answer(200, b"{}")):  # fmt: skip
        smart.refuse_tokens = odd
        with pytest.raises(FetchError, match="token"):
            asked(through, f"{url}/Patient")
    smart.refuse_tokens = Answer(503, headers={"Retry-After": "9"})
    with pytest.raises(UnavailableError) as busy:
        asked(through, f"{url}/Patient")
    assert busy.value.after == 9


def test_user_and_password_and_fixed_tokens_go_with_every_question(tmp_path: Path) -> None:
    with WebServer(lambda question: Answer()) as server:
        for given, sent in (
            ({"method": "basic", "client_id": "hcrm"}, "Basic " + base64.b64encode(b"hcrm:s3cret").decode()),
            ({"method": "bearer"}, "Bearer s3cret"),
        ):
            given |= {"secret_file": kept(tmp_path, "s3cret\n")}
            asked(fetcher(tmp_path, server.url, authentication=given), server.url)
            assert server.asked[-1].headers["authorization"] == sent


def test_a_refused_question_without_proof_says_what_to_add(tmp_path: Path) -> None:
    with WebServer(lambda question: Answer(401)) as server, pytest.raises(FetchError, match=r"Add \[authentication\]"):
        asked(fetcher(tmp_path, server.url), server.url)


def test_settings_that_are_wrong_are_named_before_anybody_is_asked(tmp_path: Path) -> None:
    def wrong(**given: str) -> str:
        with pytest.raises(ConfigurationError) as error:
            fetcher(tmp_path, "https://his.example.org", authentication={"secret_file": "secret", **given})
        assert str(error.value).startswith("hcrm.toml, source.authentication.")
        return str(error.value)

    kept(tmp_path, "s3cret")
    assert "needs client_id" in wrong(method="basic")
    assert "signs with RS384" in wrong(method="private_key_jwt", client_id="a")
    kept(tmp_path, pem("RS384"), "rsa")
    assert "signs with ES384" in wrong(method="private_key_jwt", client_id="a", secret_file="rsa", algorithm="ES384")
    assert "cannot be read" in wrong(method="bearer", secret_file="none")
    kept(tmp_path, "", "empty")
    assert "is empty" in wrong(method="bearer", secret_file="empty")
    assert "token_url" in wrong(method="client_secret", client_id="a", token_url="https://login.example.org/t")
    kept(tmp_path, "秘密", "letters")
    assert "no header can carry" in wrong(method="bearer", secret_file="letters")
    (tmp_path / "secret").chmod(0o640)
    text = wrong(method="bearer")
    assert "chmod 600 secret" in text and "s3cret" not in text
