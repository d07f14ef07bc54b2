"""Secrets in every form that an address, a header or a message can have."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dropout_lab.redaction import redact

SECRETS = st.text("abcXYZ019/@#?:%&=+!$,;._~-|^{}[]()*äß", min_size=6, max_size=24).map(
    lambda text: f"zq{text}qz"
)
NAMES = st.text("abcdefgh0123456789._-", min_size=1, max_size=12)
AROUND = (
    "{}",
    "MLFLOW_TRACKING_URI={!r} names a folder",
    "HTTPConnectionPool: Max retries exceeded with url: {} (Caused by x)",
    'File "a.py", line 3, in f\n    connect("{}")',
)


@pytest.mark.parametrize("around", AROUND)
@given(user=NAMES, password=SECRETS, encoded=st.booleans())
@example(user="user", password="zqpa/ssqz", encoded=False)
@example(user="user", password="zqp@ss#w?rdqz", encoded=False)
def test_user_and_password_of_an_address(around, user, password, encoded):
    written = quote(password, safe="") if encoded else password
    for scheme in ("http", "https", "postgresql+psycopg2", "mysql"):
        shown = redact(around.format(f"{scheme}://{user}:{written}@db.example.com:5432/runs"))
        assert written not in shown
        assert password not in shown
        assert "db.example.com:5432/runs" in shown


@settings(max_examples=30)
@given(password=SECRETS, encode=st.sampled_from([lambda text: quote(text, safe=""), quote_plus, str]))
@pytest.mark.parametrize(
    "key",
    [
        "password",
        "PASSWORD",
        "token",
        "access_token",
        "sslpassword",
        "sslkey",
        "api_key",
        "secret",
        "sig",
        "X-Amz-Signature",
        "passwd",
        "pwd",
        "auth",
        "client_secret",
        "odbc_connect",
        "user",
    ],
)
def test_query_parameters(key, password, encode):
    written = encode(password)
    assume("&" not in written)
    shown = redact(f"at postgresql://db/runs?sslmode=require&{key}={written}&connect_timeout=3 it ends")
    assert written not in shown
    assert "sslmode=require" in shown
    assert "connect_timeout=3 it ends" in shown
    assert written not in redact(f"postgresql://db/runs?{key}={written}")


@pytest.mark.parametrize(
    "text",
    [
        "{'Authorization': 'Basic dXNlcjpzM2NyZXQ='}",
        "Authorization: Bearer dXNlcjpzM2NyZXQ=",
        "header authorization=dXNlcjpzM2NyZXQ=",
        "sent Bearer dXNlcjpzM2NyZXQ= to it",
        'connection to server at "db", user=u password=dXNlcjpzM2NyZXQ= failed',
        "password='dXNlcjpzM2NyZXQ= '",
        '{"password": "dXNlcjpzM2NyZXQ="}',
        "redirect=https%3A%2F%2Fuser%3AdXNlcjpzM2NyZXQ=%40host%2F",
        "next=http%3A%2F%2Fh%3Ftoken%3DdXNlcjpzM2NyZXQ=",
        "user:dXNlcjpzM2NyZXQ=@127.0.0.1:5000",
        "http://dXNlcjpzM2NyZXQ=@host",
    ],
)
def test_other_forms(text):
    shown = redact(text)
    assert "dXNlcjpzM2NyZXQ" not in shown
    assert "***" in shown


def test_what_the_environment_holds_is_masked_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://someone:pa/s s%40w@host:5000")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-1234567")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "abc/def+ghi")
    shown = redact("the server said pa/s s@w, pa/s s%40w, pa%2Fs%20s%40w, tok-1234567 and abc%2Fdef%2Bghi")
    assert shown == "the server said ***, ***, ***, *** and ***"


def test_the_word_key_in_the_name_of_a_variable_marks_a_secret(monkeypatch):
    for name in ("OPENAI_KEY", "KEY", "STORAGE_KEY_1", "API_KEY", "APIKEY"):
        monkeypatch.setenv(name, "abc-def-ghi")
        assert redact("it said abc-def-ghi") == "it said ***"
        monkeypatch.delenv(name)
    for name in ("KEYBOARD", "MONKEY"):
        monkeypatch.setenv(name, "abc-def-ghi")
        assert redact("it said abc-def-ghi") == "it said abc-def-ghi"


@pytest.mark.parametrize(
    "text",
    [
        "http://c:1/x?mail=a@b",
        "No run has the id or the name 'dropout-seed1'; did you mean 'dropout-seed0'?",
        "http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning",
        "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=x&viewStateShareKey=dropout_lab",
        "git+https://github.com/x/y@main",
        "sqlite:///mlflow.db?timeout=30",
        "/home/user/a@b/mlflow.db, unknown key 'keys', tags.`dropout_lab.run_key` = 'f00d'",
        "Basic authentication is described in the token section: passwords are secret.",
        "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
    ],
)
def test_other_text_is_left_alone(text):
    assert redact(text) == text


@given(st.text(max_size=80))
def test_redacting_twice_changes_nothing_more(text):
    once = redact(text)
    assert redact(once) == once
