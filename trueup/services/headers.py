"""Which field of a contact a column of a table is, by its header: English, German, Ukrainian, Russian.

What is not surely recognised is left out: a wrong guess is worse than none, and `init` names what it left.
"""

from __future__ import annotations

import re
import unicodedata

KEY = "key"
"""Stands for the column that identifies a row."""

_WORDS: dict[str, str] = {
    KEY: (
        "id; nr; no; number; customer id; customer no; customer number; contact id; record id; client id;"
        " user id; kundennr; kundennummer; kunden id; kontakt id; lfd nr; ід; номер; код; код клієнта;"
        " номер клієнта; ид; код клиента; номер клиента"
    ),
    "email": "email; e mail; email address; e mail address; mail; emailadresse; e mail adresse; mailadresse; "
    "електронна пошта; ел пошта; пошта; емейл; имейл; электронная почта; эл почта; почта; емайл",
    "phone": (
        "phone; phone number; telephone; tel; telephone number; contact number; telefon; telefonnummer;"
        " rufnummer; телефон; номер телефону; тел; номер телефона"
    ),
    "phones.mobile": (
        "mobile; mobile phone; mobile number; cell; cell phone; cellphone; handy; handynummer; mobil;"
        " mobiltelefon; моб; мобільний; мобільний телефон; моб телефон; мобильный; мобильный телефон"
    ),
    "phones.fax": "fax; fax number; telefax; faxnummer; факс",
    "first_name": "first name; firstname; given name; forename; vorname; імʼя; имя",
    "middle_name": "middle name; middlename; patronymic; zweiter vorname; по батькові; отчество",
    "last_name": (
        "last name; lastname; surname; family name; nachname; familienname; name nachname; прізвище; фамилия"
    ),
    "full_name": (
        "name; full name; fullname; contact; contact name; customer; customer name; person; kunde;"
        " kundenname; vollständiger name; ansprechpartner; повне імʼя; клієнт; контакт; контактна"
        " особа; полное имя; клиент; контактное лицо"
    ),
    "salutation": "salutation; title mr mrs; anrede; звертання; обращение",
    "job_title": (
        "job title; jobtitle; position; title; role; funktion; stelle; berufsbezeichnung; посада; должность"
    ),
    "department": "department; abteilung; відділ; отдел",
    "company_name": (
        "company; company name; organization; organisation; employer; account; firma; firmenname;"
        " unternehmen; компанія; організація; фірма; компания; организация; фирма"
    ),
    "address.street": (
        "street; address; street address; address line 1; address 1; strasse; straße; anschrift; adresse;"
        " straße und hausnummer; вулиця; адреса; улица; адрес"
    ),
    "address.city": "city; town; ort; stadt; wohnort; місто; населений пункт; город; населенный пункт",
    "address.postcode": (
        "postcode; postal code; zip; zip code; plz; postleitzahl; індекс; поштовий індекс; індекс пошти;"
        " индекс; почтовый индекс"
    ),
    "address.region": "state; region; province; county; bundesland; область; регіон; регион",
    "address.country": "country; land; staat; країна; страна",
    "birthday": "birthday; birth date; date of birth; dob; born; geburtstag; geburtsdatum; дата народження; "
    "день народження; дата рождения; день рождения",
    "language": "language; locale; sprache; мова; язык",
    "gender": "gender; sex; geschlecht; стать; пол",
    "website": "website; web site; homepage; url; webseite; сайт; вебсайт",
    "tags": "tags; labels; schlagworte; теги; мітки; метки",
    "interests": "interests; interest; interessen; interesse; інтереси; зацікавлення; интересы",
    "notes": (
        "notes; note; comment; comments; remarks; notiz; notizen; bemerkung; kommentar; примітка;"
        " примітки; коментар; примечание; комментарий"
    ),
    "source": "source; lead source; quelle; herkunft; джерело; источник",
}

_SURNAME_FIRST = (
    "піб; піп; прізвище імʼя; прізвище та імʼя; прізвище і імʼя; прізвище й імʼя; прізвище імʼя по батькові;"
    " прізвище імʼя та по батькові; фио; фамилия имя; фамилия и имя; фамилия имя отчество; фамилия имя и"
    " отчество; surname name; surname and name; surname first name; surname and first name; surname given"
    " name; surname given names; last name first name; last name and first name; last name given name; last"
    " first; last first middle; last name first; last name first name middle name; family name given name;"
    " family name first name; name last first; name last name first; name surname first; full name last"
    " first; full name last name first; nachname vorname; nachname und vorname; name vorname; familienname"
    " vorname; nazwisko imię; nazwisko i imię; nom prénom; nom et prénom; apellidos nombre; apellidos y"
    " nombre"
)
"""Columns of whole names that say by their own name that the family name comes first."""

_LAST_FIRST = frozenset(word.strip() for word in _SURNAME_FIRST.split(";"))
_KNOWN = {
    word.strip(): field for field, words in _WORDS.items() for word in words.split(";")
} | dict.fromkeys(_LAST_FIRST, "full_name")
_APOSTROPHES = str.maketrans({"'": "ʼ", "’": "ʼ", "`": "ʼ", "ʹ": "ʼ", "‘": "ʼ"})


def field_of(header: str) -> str | None:
    """The field that a column is for; KEY for the one that identifies a row; None if that is not sure."""
    plain = plain_header(header)
    return _KNOWN.get(plain) or _KNOWN.get(plain.replace(" ", ""))


def is_surname_first(header: str) -> bool:
    """Whether a column of whole names says that the family name comes first: `ПІБ`, `Surname, name`."""
    plain = plain_header(header)
    return plain in _LAST_FIRST or plain.replace(" ", "") in _LAST_FIRST


def is_id_like(header: str) -> bool:
    """Whether a column is named as one of ids is, of whatever: `Student ID`."""
    return plain_header(header).split(" ")[-1] in _IDS


_IDS = ("id", "nr", "ід", "ид")


def plain_header(header: str) -> str:
    """Lower case, one blank between words, no punctuation: `E-Mail_Address:` is `e mail address`."""
    text = unicodedata.normalize("NFKC", header).translate(_APOSTROPHES)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).casefold()
    return " ".join(re.sub(r"[^\wʼ]+|_", " ", text).split())
