"""What operators read when credentials are wrong and systems misbehave: each text is kept and compared.

After a change of wording, run `TRUEUP_GALLERY=write pytest tests/cli/test_gallery.py` and read every
changed text aloud: it must say what happened, in the system's words too, what to do, and how to go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.kit import HERE, Said, kept, plain, say
from tests.cli.played import Played, fails, played

LOGIN_PAGE = b"<!DOCTYPE html><html><body>Sign in to the corporate network, ann@example.com</body></html>"


@dataclass(frozen=True, slots=True)
class Picture:
    """One misfortune: what happens, and the command that meets it."""

    name: str
    happens: Callable[[Played], None]
    commands: tuple[tuple[str, ...], ...] = (("sync",),)


HTML = {"content-type": "text/html"}


def ann() -> dict[str, object]:
    stamp = "2026-01-05T10:00:00.000Z"
    return {
        "id": "1",
        "properties": {"email": "ann@example.com", "lastmodifieddate": stamp},
        "updatedAt": stamp,
    }


TEST = ("connections", "test")

CREDENTIALS = (
    Picture("hubspot-wrong-token", lambda p: p.marketing.tokens.clear(), ((*TEST, "marketing"),)),
    Picture(
        "hubspot-missing-scope",
        lambda p: fails(
            p.marketing,
            "list",
            status=403,
            body={
                "status": "error",
                "category": "MISSING_SCOPES",
                "message": "This app hasn't been granted all required scopes to make this call. "
                "Read more about required scopes here: https://developers.hubspot.com/scopes.",
            },
        ),
    ),
    Picture(
        "hubspot-token-expires-while-reading",
        lambda p: fails(
            p.marketing,
            "list",
            status=401,
            body={
                "status": "error",
                "category": "EXPIRED_AUTHENTICATION",
                "message": "The OAuth token used to make this call expired 12 second(s) ago.",
            },
        ),
    ),
    Picture(
        "salesforce-wrong-secret",
        lambda p: fails(
            p.sales,
            "token",
            status=400,
            body={
                "error": "invalid_client",
                "error_description": "invalid client credentials",
            },
        ),
        ((*TEST, "sales"),),
    ),
    Picture(
        "salesforce-app-not-allowed",
        lambda p: fails(
            p.sales,
            "token",
            status=400,
            body={
                "error": "invalid_grant",
                "error_description": "no client credentials user enabled",
            },
        ),
    ),
    Picture(
        "salesforce-api-switched-off",
        lambda p: fails(
            p.sales,
            "*",
            status=403,
            times=9,
            body=[
                {
                    "message": "The REST API is not enabled for this Organization.",
                    "errorCode": "API_DISABLED_FOR_ORG",
                }
            ],
        ),
        ((*TEST, "sales"),),
    ),
    Picture(
        "zendesk-wrong-token",
        lambda p: fails(p.support, "*", status=401, times=9, body={"error": "Couldn't authenticate you"}),
        ((*TEST, "support"),),
    ),
    Picture(
        "zendesk-agent-may-not",
        lambda p: fails(
            p.support,
            "*",
            status=403,
            times=9,
            body={
                "error": {
                    "title": "Forbidden",
                    "message": "You do not have access to this page. Please "
                    "contact the account owner of this help desk for further help.",
                },
            },
        ),
        ((*TEST, "support"),),
    ),
    Picture(
        "zendesk-account-suspended",
        lambda p: fails(p.support, "*", status=423, times=9, body=LOGIN_PAGE, headers=HTML),
        ((*TEST, "support"),),
    ),
    Picture(
        "secret-in-the-systems-words",
        lambda p: fails(
            p.marketing,
            "*",
            status=401,
            times=9,
            body={
                "status": "error",
                "category": "INVALID_AUTHENTICATION",
                "message": "The token pat-eu1-0123456789abcdef of ann@example.com, "
                "+49 30 901820 64, is not valid",
            },
        ),
        ((*TEST, "marketing"),),
    ),
)

ANSWERS = (
    Picture(
        "login-page-in-place-of-an-answer",
        lambda p: fails(p.marketing, "list", "body", body=LOGIN_PAGE, headers=HTML),
    ),
    Picture(
        "half-an-answer", lambda p: fails(p.marketing, "list", "body", body=b'{"results": [{"id": "1", "prop')
    ),
    Picture("answer-without-records", lambda p: fails(p.marketing, "list", "body", body={"status": "ok"})),
    Picture("empty-answer", lambda p: fails(p.marketing, "list", "body", body=b"")),
    Picture(
        "records-without-ids",
        lambda p: fails(
            p.marketing, "list", "body", body={"results": [{"properties": {"email": "x@example.com"}}]}
        ),
    ),
    Picture(
        "same-record-twice-in-a-page",
        lambda p: fails(p.marketing, "list", "body", body={"results": [ann(), ann()]}, times=1),
    ),
    Picture(
        "wait-for-an-absurd-time",
        lambda p: fails(
            p.marketing,
            "list",
            status=429,
            headers={"retry-after": "99999999999"},
            body={
                "status": "error",
                "message": "You have reached your ten_secondly_rolling limit.",
                "errorType": "RATE_LIMIT",
            },
        ),
    ),
    Picture(
        "daily-limit-reached",
        lambda p: fails(
            p.marketing,
            "list",
            status=429,
            body={
                "status": "error",
                "errorType": "RATE_LIMIT",
                "message": "You have reached your daily limit.",
            },
        ),
    ),
    Picture(
        "server-fault-again-and-again",
        lambda p: fails(p.marketing, "list", status=500, body={"message": "internal error"}),
    ),
    Picture(
        "maintenance-with-a-time",
        lambda p: fails(p.sales, "*", status=503, headers={"retry-after": "3600"}, body=LOGIN_PAGE, times=20),
    ),
    Picture("no-connection", lambda p: fails(p.marketing, "list", "lost_request")),
    Picture("answer-lost-while-reading", lambda p: fails(p.marketing, "list", "lost_answer")),
    Picture(
        "redirect-to-a-login",
        lambda p: fails(p.marketing, "list", status=302, headers={"location": "https://login.example.com/"}),
    ),
    Picture(
        "next-page-on-another-host",
        lambda p: fails(
            p.support,
            "*",
            "body",
            times=20,
            body={
                "users": [],
                "meta": {"has_more": True, "after_cursor": "x"},
                "links": {"next": "https://evil.example.com/users?page[after]=x"},
            },
        ),
    ),
    Picture(
        "proxy-does-not-find-it", lambda p: fails(p.marketing, "list", status=404, body=b"404 page not found")
    ),
    Picture(
        "write-refused-by-a-rule",
        lambda p: fails(
            p.marketing,
            "batch_create",
            status=400,
            body={
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": 'Property values were not valid: [{"isValid":false,"message":'
                '"Email address bob@example.com is blocked by your administrator","name":"email"}]',
            },
        ),
        (("sync", "--approve-first"), ("failures",)),
    ),
)

PICTURES = (*CREDENTIALS, *ANSWERS)
NO_FAILURE = ("same-record-twice-in-a-page", "records-without-ids")
"""What is odd, and noted at most: everything else is read as usual."""


@pytest.fixture
def hub(desk: Path) -> Iterator[Played]:
    with played(desk) as one:
        one.people()
        yield one


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_misfortune_is_told_in_these_words(picture: Picture, hub: Played) -> None:
    picture.happens(hub)
    text = "\n".join(_told(hub.say(*command)) for command in picture.commands)
    assert text == kept(picture.name, text, "gallery")
    for secret in ("ann@example.com", "bob@example.com", "pat-eu1-0123", "901820", "Traceback"):
        assert secret not in text


def _told(said: Said) -> str:
    """The exit code and what was said of the misfortune; tables of numbers and samples are left out."""
    return f"exit code {said.code}\n" + _without_tables(plain(said.out + said.err))


def _without_tables(text: str) -> str:
    blocks = re.split(r"\n\n+", text)
    ours = (
        "Read:",
        "A sync would write:",
        "Decided:",
        "Written:",
        "Samples:",
        "Skipped",
        "Nothing",
        "Never written",
    )
    return "\n\n".join(block.strip("\n") for block in blocks if not block.lstrip().startswith(ours)) + "\n"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_every_kept_text_says_what_to_do_and_how_to_go_on(picture: Picture) -> None:
    text = (HERE / "gallery" / f"{picture.name}.txt").read_text("utf-8")
    if picture.name in NO_FAILURE:
        assert "[TU-" not in text
        return
    assert re.search(r"\[TU-[A-Z]+-\d+\]", text) or "trueup failures" in text
    assert "do: " in text or "trueup failures" in text


def test_no_text_is_kept_without_its_picture() -> None:
    kept_here = {path.stem for path in (HERE / "gallery").glob("*.txt")}
    assert kept_here == {picture.name for picture in PICTURES} | set(FILES)


# -- before any system is asked -----------------------------------------------------------------------

FILES = ("variable-not-set", "env-file-for-everybody", "secret-in-a-file", "no-hub-here")


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_in_the_files_is_told_in_these_words(
    name: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (
        "HUBSPOT_TOKEN",
        "SALESFORCE_CLIENT_ID",
        "SALESFORCE_CLIENT_SECRET",
        "ZENDESK_USER",
        "ZENDESK_TOKEN",
    ):
        monkeypatch.setenv(variable, "ann@example.com")
    with played(desk):
        config = desk / "config"
        if name == "variable-not-set":
            monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
        elif name == "env-file-for-everybody":
            (config / ".env").write_text("HUBSPOT_TOKEN=x\n", "utf-8")
            (config / ".env").chmod(0o644)
        elif name == "secret-in-a-file":
            file = config / "connections/marketing.yaml"
            file.write_text(
                file.read_text("utf-8").replace('"${env:HUBSPOT_TOKEN}"', "pat-eu1-0123456789abcdef"), "utf-8"
            )
        else:
            (config / "hub.yaml").unlink()
        said = say("plan")
    text = _told(said).replace(desk.name, "FOLDER")
    assert said.code == 2
    assert "pat-eu1-0123" not in text
    assert text == kept(name, text, "gallery")
