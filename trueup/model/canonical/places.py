"""Countries, languages and time zones: codes out of codes and of names in many languages."""

from __future__ import annotations

import gettext
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from zoneinfo import available_timezones

import pycountry

from trueup.model.values import Rejected

_TAIL = re.compile(r"[,(].*")
_NOT_LETTERS = re.compile(r"[^\w]+|_")
_TRANSLATED_INTO = (
    "de fr es pt pt_BR it nl pl uk ru cs sk hu ro bg el tr ar he fa zh_CN zh_TW ja ko sv da nb_NO fi et"
    " lv lt hr sr sr@latin sl mk sq is ga ca eu gl ka hy az kk uz be vi th id ms hi bn ta"
)
_OTHER_NAMES = {
    "GB": "uk|great britain|britain|scotland|wales|northern ireland|großbritannien|великобритания"
    "|england|англия|англія|engeland|inglaterra|angleterre|inghilterra",
    "US": "usa|u.s.|u.s.a.|america|united states of america|the states|сша|ee.uu.|eeuu|états-unis d'amérique",
    "NL": "holland|the netherlands",
    "RU": "russia|россия|росія|rf|рф",
    "KR": "korea|south korea|korea south|republic of korea",
    "KP": "north korea|dprk",
    "TR": "turkey|türkei|turkiye",
    "CZ": "czech republic|czechia|tschechische republik|česká republika|чехия",
    "CI": "ivory coast|côte d'ivoire",
    "MK": "macedonia|north macedonia|fyrom",
    "SZ": "swaziland",
    "MM": "burma",
    "VN": "vietnam|viet nam",
    "AE": "uae|emirates|оаэ",
    "GR": "el|hellas",
    "XK": "kosovo|kosova|косово|xkx",
    "CD": "dr congo|drc|congo kinshasa",
    "CG": "congo brazzaville|congo",
    "VA": "vatican|vatican city",
    "CV": "cape verde",
    "BN": "brunei",
    "LA": "laos",
    "SY": "syria",
    "IR": "iran",
    "TZ": "tanzania",
    "VE": "venezuela",
    "BO": "bolivia",
    "MD": "moldova",
    "TW": "taiwan",
    "PS": "palestine",
    "FM": "micronesia",
    "DE": "brd",
    "UA": "ukraina|украина",
    "BY": "белоруссия|weißrussland",
}
_LANGUAGE_NAMES = {
    "ar": "العربية|арабский",
    "be": "беларуская",
    "bg": "български",
    "cs": "čeština|český",
    "da": "dansk",
    "de": "deutsch|немецкий|німецька|allemand|alemán|tedesco",
    "el": "ελληνικά|modern greek|greek",
    "en": "english|englisch|anglais|inglés|inglese|английский|англійська",
    "es": "español|castellano|spanisch|espagnol|испанский|іспанська",
    "et": "eesti",
    "fa": "فارسی|farsi",
    "fi": "suomi",
    "fr": "français|französisch|francés|французский|французька",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "hrvatski",
    "hu": "magyar",
    "it": "italiano|italienisch|italien|итальянский",
    "ja": "日本語",
    "ka": "ქართული",
    "kk": "қазақша",
    "ko": "한국어",
    "lt": "lietuvių",
    "lv": "latviešu",
    "nb": "bokmål|norsk bokmål",
    "nl": "nederlands|dutch|flemish",
    "no": "norsk",
    "pl": "polski|polnisch|польский|польська",
    "pt": "português|portugiesisch|portugais",
    "ro": "română",
    "ru": "русский|russisch|russe|ruso|російська",
    "sk": "slovenčina|slovenský",
    "sl": "slovenščina",
    "sr": "српски|srpski",
    "sv": "svenska",
    "th": "ไทย",
    "tr": "türkçe|türkisch",
    "uk": "українська|украинский|ukrainisch",
    "vi": "tiếng việt",
    "zh": "中文|汉语|漢語|mandarin|chinese",
}
_OLD_CODES = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro"}  # withdrawn from ISO 639
_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-[a-z\d]{4,8})*)", re.ASCII)
_BRACKETS = re.compile(r"(.+?)\s*\((.+)\)")
_RENAMED_ZONES = {
    "Europe/Kiev": "Europe/Kyiv",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Dacca": "Asia/Dhaka",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "US/Eastern": "America/New_York",
    "US/Central": "America/Chicago",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
    "US/Alaska": "America/Anchorage",
    "US/Hawaii": "Pacific/Honolulu",
    "Etc/UTC": "UTC",
    "Etc/GMT": "UTC",
    "GMT": "UTC",
    "Z": "UTC",
    "Zulu": "UTC",
    "Etc/Zulu": "UTC",
    "UCT": "UTC",
    "Etc/UCT": "UTC",
    "Universal": "UTC",
    "Etc/Universal": "UTC",
}


@lru_cache(maxsize=8192)
def read_country(text: str) -> str | Rejected:
    """ISO 3166-1 alpha-2 out of alpha-2, alpha-3, the number, or a name in some fifty languages."""
    key = _key(text)
    code = _country_codes().get(key) or _country_names().get(key)
    return code or Rejected("not a country that is known by this code or name")


@lru_cache(maxsize=4096)
def read_language(text: str) -> str | Rejected:
    """A BCP 47 tag (`pt-BR`), also out of `pt_br`, `por` or a name (`German`, `English (US)`)."""
    named = _named_language(text)
    found = _TAG.fullmatch(named or text.lower().replace("_", "-"))
    if found is None:
        return Rejected("not a language tag (BCP 47) or the name of a language")
    language, script, region, variants = found.groups()
    language = _OLD_CODES.get(language, language)
    code = _languages().get(language)
    if code is None or not _is_region(region):
        return Rejected("a language tag with a language or region that does not exist")
    parts = (code, script.title() if script else "", (region or "").upper())
    return "-".join(part for part in parts if part) + variants


@lru_cache(maxsize=4096)
def read_zone(text: str) -> str | Rejected:
    """An IANA time zone name in its present spelling; case does not matter."""
    name = _zones().get(text.lower().replace(" ", "_"))
    return name or Rejected("not a time zone name of the IANA list (Europe/Kyiv)")


def country_name(code: str) -> str:
    """The common English name of an alpha-2 code."""
    if code == "XK":
        return "Kosovo"
    country = pycountry.countries.get(alpha_2=code)
    return str(getattr(country, "common_name", None) or getattr(country, "name", code))


def country_iso3(code: str) -> str:
    """The alpha-3 code of an alpha-2 code."""
    return "XKX" if code == "XK" else str(getattr(pycountry.countries.get(alpha_2=code), "alpha_3", code))


def language_name(tag: str) -> str:
    """The English name of a tag's language (the region is not named)."""
    code = tag.split("-")[0]
    found = pycountry.languages.get(alpha_2=code) or pycountry.languages.get(alpha_3=code)
    return "Greek" if code == "el" else str(getattr(found, "name", code)).split(" (")[0]


def _key(text: str) -> str:
    """Letters only, without case or diacritics, without `the`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NOT_LETTERS.sub(" ", plain).strip().removeprefix("the ")


@cache
def _country_codes() -> Mapping[str, str]:
    codes = {}
    for country in pycountry.countries:
        for attribute in ("numeric", "alpha_3", "alpha_2", "official_name", "name", "common_name"):
            if word := getattr(country, attribute, None):
                codes[_key(word)] = country.alpha_2
    shortened = [(_key(_TAIL.sub("", country.name)), country.alpha_2) for country in pycountry.countries]
    seen = Counter(name for name, _ in shortened)
    codes |= {name: code for name, code in shortened if seen[name] == 1 and name not in codes}
    for country in pycountry.countries:  # a code stands above any shortened name
        codes[country.alpha_2.lower()] = codes[country.alpha_3.lower()] = country.alpha_2
    codes["xk"] = "XK"
    for code, names in _OTHER_NAMES.items():
        codes.update(dict.fromkeys(map(_key, names.split("|")), code))
    return codes


@cache
def _country_names() -> Mapping[str, str]:
    """Names in other languages; one that means two countries means none. Read on the first such name."""
    found: dict[str, set[str]] = {}
    for translated in _catalogues():
        for country in pycountry.countries:
            for name in _names_of(country):
                found.setdefault(_key(translated(name)), set()).add(country.alpha_2)
    return {key: codes.pop() for key, codes in found.items() if key and len(codes) == 1}


def _names_of(country: object) -> Iterable[str]:
    names = (getattr(country, attribute, None) for attribute in ("name", "common_name", "official_name"))
    return (name for name in names if name)


def _catalogues() -> Iterable[Callable[[str], str]]:
    for language in _TRANSLATED_INTO.split():
        yield gettext.translation(
            "iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True
        ).gettext


@cache
def _languages() -> Mapping[str, str]:
    """Two- and three-letter codes to the shorter code."""
    codes = {}
    for language in pycountry.languages:
        short = getattr(language, "alpha_2", language.alpha_3)
        for attribute in ("bibliographic", "alpha_3", "alpha_2"):
            if word := getattr(language, attribute, None):
                codes[word] = short
    return codes


@cache
def _language_names() -> Mapping[str, str]:
    names = {}
    for language in pycountry.languages:
        if code := getattr(language, "alpha_2", None):
            names[_key(language.name)] = names[_key(language.name.split(" (")[0])] = code
    for code, words in _LANGUAGE_NAMES.items():
        names.update(dict.fromkeys(map(_key, words.split("|")), code))
    return names


def _named_language(text: str) -> str | None:
    """A lower-case tag out of `German` or `English (United States)`; None if it is no name."""
    names = _language_names()
    if code := names.get(_key(text)):
        return code
    if (found := _BRACKETS.fullmatch(text)) and (code := names.get(_key(found[1]))):
        region = read_country(found[2])
        return None if isinstance(region, Rejected) else f"{code}-{region.lower()}"
    return None


def _is_region(region: str | None) -> bool:
    return region is None or region.isdigit() or _country_codes().get(region) == region.upper()


@cache
def _zones() -> Mapping[str, str]:
    zones = {name.lower(): name for name in available_timezones()}
    return zones | {old.lower(): new for old, new in _RENAMED_ZONES.items()}
