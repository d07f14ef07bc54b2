"""Remove passwords, tokens and other secrets from text before it is shown or logged."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

MASK = "***"

_URI_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_BACKEND_STORE_URI")
_SECRET_VARIABLE = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|CREDENTIAL|APIKEY|(?<![A-Z])KEY(?![A-Z])")
_SHORTEST_SECRET = 6
"""Characters; masking shorter values of variables everywhere would garble unrelated text."""

# Keys of query parameters. Broad, since what follows is never worth reading, except the name of a view.
_QUERY_KEY = (
    r"(?!viewStateShareKey=)(?:[\w.%\[\]-]*(?:pass|pwd|token|secret|key|auth|sig|cred|session|odbc_connect)[\w.%\[\]-]*"
    r"|user(?:name)?|uid|login)"
)
# Keys in running text, such as those of a database driver's message. Narrow, to leave prose alone.
_TEXT_KEY = (
    r"[\w-]*(?:password|passwd|passphrase|pwd|api[_-]?key|access[_-]?key|secret|authorization"
    r"|(?:access|auth|bearer|tracking)[_-]?token|client[_-]?token|\btoken)"
)
_NO_SPACE = r"[^\s'\"<>]"

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Authorization: Basic dXNlcg==
        rf"(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:basic|bearer|digest|token)\s+)?{_NO_SPACE}+",
        r"\b((?:bearer|basic)\s+)(?=[\w+/=.~-]*[\d=._-])[\w+/=.~-]{8,}",
        # ?password=x, also where the address around it is percent-encoded
        rf"((?:[?&;]|%3F|%26){_QUERY_KEY}(?:=|%3D))(?:(?!%26)[^\s'\"<>&])+",
        # password=x, and 'password': 'x'
        rf"({_TEXT_KEY}\s*=\s*)(?:'[^']*'|\"[^\"]*\"|[^\s'\"&;,)]+)",
        rf"(['\"]{_TEXT_KEY}['\"]\s*[:=]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s'\"&;,)}}]+)",
        # https%3A%2F%2Fuser%3Apassword%40host
        r"(%3A%2F%2F)(?:(?!%2F%2F)[^\s'\"<>&])*(?=%40)",
    )
)
_AUTHORITY = re.compile(rf"//({_NO_SPACE}*)@")
_WITHOUT_SCHEME = re.compile(r"(?<![\w/.*-])[^\s'\"<>()@/:*]+:[^\s'\"<>()@*/]+@(?=[\w.\[-])")


def redact(text: str) -> str:
    """Return `text` with every secret in it replaced by ``***``.

    Secrets are user and password of an address (percent-encoded or not, with any characters), the values
    of query parameters and settings such as ``password``, ``token`` or ``key``, authorization headers,
    and the values of this process's environment variables whose names say that they are secrets.
    """
    for secret in sorted(set(_known_secrets()), key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])", MASK, text)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    text = _AUTHORITY.sub(_mask_authority, text)
    return _WITHOUT_SCHEME.sub(rf"{MASK}@", text)


def _mask_authority(match: re.Match[str]) -> str:
    """Mask what stands before the last ``@``, unless that is part of a path or a query."""
    candidate = match[1]
    before = re.split(r"[/?#]", candidate, maxsplit=1)[0]
    if before == candidate:
        return f"//{MASK}@"
    name, colon, password = before.partition(":")
    if not colon or not name:
        return match[0]
    is_query = re.search(r"\?[\w.%-]+=", candidate) is not None
    if (password.isdigit() or not password) and is_query:  # host:port/path?mail=a@b
        return match[0]
    return f"//{MASK}@"


def _known_secrets() -> Iterator[str]:
    """Yield the secrets in this process's environment, in each form in which they may be quoted."""
    for name, value in os.environ.items():
        if name in _URI_VARIABLES:
            for secret in _user_and_password(value):
                yield from _forms(secret)
        elif _SECRET_VARIABLE.search(name.upper()) and not Path(value).is_absolute():
            yield from _forms(value.strip())


def _user_and_password(address: str) -> list[str]:
    rest = address.partition("://")[2] or address
    before_host, at, _ = rest.rpartition("@")
    if not at or ("?" in before_host and ":" not in before_host.partition("?")[0]):  # ?mail=a@b
        return []
    _, colon, password = before_host.partition(":")
    return [before_host, password] if colon else []


def _forms(secret: str) -> Iterator[str]:
    plain = unquote(secret)
    for form in (secret, plain, quote(plain, safe=""), quote_plus(plain), quote(plain)):
        if len(form) >= _SHORTEST_SECRET:
            yield form
