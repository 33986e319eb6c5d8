"""What a table says of consent: by the header of a column, and by the words in its cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trueup.services.headers import plain_header

_EMAIL, _PHONE, _SMS = "email.marketing", "phone.marketing", "sms.marketing"

_SUBSCRIBED = {
    _EMAIL: (
        "subscribed; newsletter; newsletter subscribed; subscribed to newsletter; opt in; optin; opted in;"
        " email opt in; marketing consent; email consent; abonniert; newsletter abonniert; einwilligung;"
        " розсилка; підписка; підписка на розсилку; підписаний; підписаний на розсилку; згода на розсилку;"
        " рассылка; подписка; подписка на рассылку; подписан; подписан на рассылку; согласие на рассылку"
    ),
    _SMS: "sms opt in; sms consent; sms newsletter; згода на sms; согласие на sms",
}
_UNSUBSCRIBED = {
    _EMAIL: (
        "unsubscribed; unsubscribe; opt out; optout; opted out; email opt out; opted out of email; has opted"
        " out of email; do not email; do not mail; no email; no emails; no e mail; no e mails; no mail; no"
        " mails; no mailing; no mailings; no newsletter; no newsletters; no marketing; abgemeldet;"
        " newsletter abgemeldet; keine werbung; keine e mails; werbesperre; відписаний; відписка; відписався;"
        " не надсилати; без розсилки; без реклами; отписан; отписка; отписался; не рассылать; без рассылки"
    ),
    _PHONE: "do not call; no calls; phone opt out; keine anrufe; не телефонувати; не дзвонити; не звонить",
    _SMS: "sms opt out; no sms; do not sms; do not text; keine sms; без sms",
}
_STATUS = {
    _EMAIL: (
        "status; email status; subscription status; subscriber status; newsletter status; marketing status;"
        " email marketing status; member status; anmeldestatus; статус підписки; статус подписки; статус"
    )
}
_YES = ("yes", "y", "1", "true", "on", "x", "ja", "wahr", "так", "да", "tak", "sí", "si", "oui")
_NO = ("no", "n", "0", "false", "off", "nein", "falsch", "ні", "нет", "nie", "non")
_OUT = frozenset(
    word.strip()
    for language in (
        "unsubscribed; unsubscribe; opted out; opt out; optout; do not email; do not mail; do not contact; do"
        " not write; donʼt email; no email; no emails; no e mails; no mail; no newsletter; no marketing",
        "abgemeldet; abbestellt; ausgetragen; keine werbung; keine e mails; keine mails; kein newsletter;"
        " nicht anschreiben; nicht kontaktieren",
        "відписаний; відписана; відписано; відписані; відписався; відписалася; відписалась; відписка; не"
        " писати; не пишіть; не надсилати; не турбувати; без розсилки; без реклами",
        "отписан; отписана; отписано; отписаны; отписался; отписалась; отписалася; отписка; не писать; не"
        " пишите; не рассылать; не присылать; не беспокоить; без рассылки; без рекламы",
        "wypisany; wypisana; wypisano; wypisał się; wypisała się; nie pisać; nie wysyłać; bez newslettera",
        "baja; de baja; dado de baja; dada de baja; se dio de baja; desuscrito; desuscrita; no enviar; no"
        " escribir",
        "désabonné; désabonnée; désabonné e; desabonne; desabonnee; désinscrit; désinscrite; désinscrit e; ne"
        " pas écrire; ne pas envoyer",
    )
    for word in language.split(";")
)
"""What cells say of who left, as `plain_header` leaves it: English, German, Ukrainian, Russian, Polish,
Spanish, French."""
_STEMS = re.compile(
    "subscri|newsletter|mailing|opt ?in|opt ?out|consent|gdpr|marketing|dsgvo|einwillig|werbung|abonn|abmeld"
    "|abgemeld|розсил|підписк|підписан|відпис|згод|реклам|рассыл|подписк|подписан|отпис|соглас|zgod|wypis"
    "|suscri|consentim|désinscri|désabonn"
)


@dataclass(frozen=True, slots=True)
class Asks:
    """What a column tells of a person's consent. `out`: the words (lower case) that mean opted out."""

    consent: str
    out: frozenset[str]


def _said(columns: Mapping[str, str], words: Iterable[str]) -> dict[str, Asks]:
    out = frozenset(words)
    return {word.strip(): Asks(one, out) for one, headers in columns.items() for word in headers.split(";")}


_CONSENTS = {
    **_said(_STATUS, _OUT),
    **_said(_SUBSCRIBED, (*_NO, *_OUT)),
    **_said(_UNSUBSCRIBED, (*_YES, *_OUT)),
}


def consent_of(header: str) -> Asks | None:
    """What a column tells of consent, None for a column that tells nothing of it."""
    plain = plain_header(header)
    return _CONSENTS.get(plain) or _CONSENTS.get(plain.replace(" ", ""))


def means_out(word: str, asks: Asks | None) -> bool:
    """Whether a cell surely says that somebody opted out, in such a column; None: in any column."""
    return plain_header(word) in (_OUT if asks is None else asks.out)


def may_tell(header: str) -> bool:
    """Whether a column is called as if it told of consent, sure or not."""
    return consent_of(header) is not None or _STEMS.search(plain_header(header)) is not None


def contrary(words: Iterable[str]) -> frozenset[str]:
    """The words that plainly mean the contrary of these: of `no` every yes. Lower case."""
    said = {word.casefold() for word in words}
    yes, no = (_NO if said & set(_YES) else ()), (_YES if said & set(_NO) else ())
    return frozenset((*yes, *no)) - said
