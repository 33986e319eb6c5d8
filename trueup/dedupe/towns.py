"""Towns and regions by their names: the same one in another language, script or spelling.

What is not in the table is compared by how it sounds, so that `Харків` is `Kharkiv`; names that differ by
more than letters (`Köln`, `Cologne`) have to be in it. Where a town lies (`am Main`, `(Oder)`, `, UA`) may be
said or not; any other word makes another town (`Kansas`, `Kansas City`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from trueup.dedupe.latin import sounds
from trueup.model.canonical.postal import words_of

_MARKS = frozenset(sounds("city of stadt misto місто gorod город ville de region oblast область обл"))
"""Words before a name that are none of it: `м. Київ` is `місто Київ`."""

_REGION = frozenset(sounds("region oblast область обл"))
"""Words after a name that are none of it: `Київська обл.`"""

_WHERE = re.compile(
    r"\s*[(,/]"
    r"|(?:\s+|-)(?:am|an|im|in|ob|bei|vor|unter|auf|a|b|i|upon|on|sur|sous|lès|lez|nad|pod|na|над|на|под|під)"
    r"(?:\s+(?:der|den|dem|die))?(?=[\s.-])",
    re.IGNORECASE,
)
"""Where the words begin that tell where a town lies."""

_OTHER_NAMES = """
Kyiv|Kiev|Kiew|Київ|Киев|Kijów|Kijev|كييف
Lviv|Lvov|Lwów|Lemberg|Львів|Львов|Leopoli
Kharkiv|Kharkov|Charkiw|Charkow|Харків|Харьков|Charków
Odesa|Odessa|Одеса|Одесса
Dnipro|Dnepr|Dnipropetrovsk|Dnepropetrovsk|Дніпро|Днепр|Дніпропетровськ|Днепропетровск
Zaporizhzhia|Zaporozhye|Zaporizhzhya|Saporischschja|Запоріжжя|Запорожье
Mykolaiv|Nikolaev|Mykolajiw|Миколаїв|Николаев
Chernivtsi|Czernowitz|Chernovtsy|Чернівці|Черновцы
Ivano-Frankivsk|Ivano-Frankovsk|Івано-Франківськ|Ивано-Франковск
Kropyvnytskyi|Kirovohrad|Kirovograd|Кропивницький|Кіровоград|Кировоград
Vinnytsia|Vinnitsa|Winnyzja|Вінниця|Винница
Chernihiv|Chernigov|Чернігів|Чернигов
Ternopil|Ternopol|Тернопіль|Тернополь
Uzhhorod|Uzhgorod|Ужгород
Rivne|Rovno|Рівне|Ровно
Moscow|Moskau|Moskva|Moscou|Mosca|Moscú|Москва|Moskwa|موسكو
Saint Petersburg|St. Petersburg|St Petersburg|Sankt Petersburg|Petersburg|Санкт-Петербург|Leningrad
Minsk|Мінськ|Мінск|Минск|Mińsk
Warsaw|Warszawa|Warschau|Varsovie|Varsavia|Varsovia|Варшава|Varšava
Kraków|Krakow|Cracow|Krakau|Cracovie|Cracovia|Краків|Краков
Wrocław|Breslau|Вроцлав
Gdańsk|Danzig|Гданськ|Гданьск
Poznań|Posen|Познань
Szczecin|Stettin|Щецін|Щецин
Łódź|Lodz|Лодзь
Katowice|Kattowitz|Катовіце|Катовице
Prague|Praha|Prag|Praga|Прага|براغ
Brno|Brünn|Брно
Plzeň|Pilsen|Пльзень
Ostrava|Ostrau|Острава
Bratislava|Pressburg|Pozsony|Братислава
Košice|Kaschau|Kassa|Кошиці|Кошице
Budapest|Budapeszt|Будапешт
Bucharest|București|Bukarest|Bucarest|Бухарест
Cluj-Napoca|Cluj|Klausenburg|Kolozsvár|Клуж-Напока
Timișoara|Temeswar|Temesvár|Тімішоара
Chișinău|Chisinau|Kishinev|Кишинів|Кишинёв
Sofia|Sofija|София|Софія
Belgrade|Beograd|Belgrad|Београд|Белград|Белґрад
Zagreb|Agram|Загреб
Ljubljana|Laibach|Любляна
Athens|Athen|Athina|Athènes|Atene|Atenas|Αθήνα|Афіни|Афины|أثينا
Thessaloniki|Saloniki|Salonica|Θεσσαλονίκη|Салоніки|Салоники
Istanbul|İstanbul|Constantinople|Стамбул|إسطنبول
Vienna|Wien|Vienne|Viena|Wiedeń|Vídeň|Bécs|Відень|Вена|فيينا
Salzburg|Salisburgo|Зальцбург
Cologne|Köln|Koeln|Colonia|Keulen|Kolonia|Кельн|Кёльн|كولونيا
Munich|München|Muenchen|Monaco di Baviera|Monachium|Mnichov|Múnich|Мюнхен|ميونخ
Nuremberg|Nürnberg|Nuernberg|Norimberga|Norymberga|Нюрнберг
Hamburg|Hambourg|Amburgo|Hamburgo|Гамбург|هامبورغ
Hanover|Hannover|Ганновер
Brunswick|Braunschweig|Брауншвейг
Frankfurt|Francfort|Francoforte|Fráncfort|Франкфурт|فرانكفورت
Aachen|Aix-la-Chapelle|Aquisgrana|Aken|Ахен
Regensburg|Ratisbon|Ratisbonne|Регенсбург
Mainz|Mayence|Magonza|Майнц
Trier|Trèves|Treviri|Трір|Трир
Leipzig|Lipsia|Lipsk|Лейпциг
Dresden|Drážďany|Drezno|Dresde|Dresda|Дрезден
Berlin|Berlino|Berlín|Берлін|Берлин|برلين
Zurich|Zürich|Zuerich|Zurigo|Zúrich|Цюрих|Цюріх|زيورخ
Geneva|Genève|Genf|Ginevra|Ginebra|Genewa|Женева|جنيف
Basel|Bâle|Basle|Basilea|Базель
Bern|Berne|Berna|Берн
Lucerne|Luzern|Lucerna|Люцерн
Brussels|Bruxelles|Brussel|Brüssel|Bruselas|Bruksela|Брюссель|بروكسل
Antwerp|Antwerpen|Anvers|Amberes|Антверпен
Ghent|Gent|Gand|Гент
Bruges|Brugge|Brügge|Брюгге
Liège|Luik|Lüttich|Льєж|Льеж
The Hague|Den Haag|La Haye|L'Aia|La Haya|Гаага
Copenhagen|København|Kopenhagen|Copenhague|Copenaghen|Копенгаген
Gothenburg|Göteborg|Гетеборг|Гётеборг
Helsinki|Helsingfors|Гельсінкі|Хельсинки
Turku|Åbo|Турку
Tallinn|Reval|Таллінн|Таллин
Tartu|Dorpat|Тарту
Riga|Rīga|Рига
Vilnius|Wilno|Wilna|Вільнюс|Вильнюс
Kaunas|Kowno|Каунас
Paris|Parigi|París|Paryż|Paříž|Париж|باريس
Lyon|Lione|Lyons|Ліон|Лион
Marseille|Marseilles|Marsiglia|Marsella|Марсель
Nice|Nizza|Niza|Ніцца|Ницца
Strasbourg|Straßburg|Strassburg|Strasburgo|Страсбург
Rome|Roma|Rom|Rzym|Řím|Рим|روما
Milan|Milano|Mailand|Milán|Mediolan|Мілан|Милан|ميلانو
Venice|Venezia|Venedig|Venise|Venecia|Wenecja|Венеція|Венеция
Florence|Firenze|Florenz|Florencia|Флоренція|Флоренция
Naples|Napoli|Neapel|Nápoles|Неаполь
Turin|Torino|Turyn|Турін|Турин
Genoa|Genova|Genua|Gênes|Génova|Генуя
Bologna|Bologne|Bolonia|Болонья
Bolzano|Bozen
Lisbon|Lisboa|Lissabon|Lisbonne|Lisbona|Лісабон|Лиссабон
Porto|Oporto|Порту
Madrid|Мадрид|مدريد
Seville|Sevilla|Siviglia|Séville|Севілья|Севилья
Barcelona|Barcelone|Barcellona|Барселона
Valencia|València|Валенсія|Валенсия
London|Londres|Londra|Londyn|Londýn|Лондон|لندن
Edinburgh|Édimbourg|Edimburgo|Единбург|Эдинбург
Dublin|Baile Átha Cliath|Dublino|Дублін|Дублин
New York|Nueva York|Нью-Йорк|New York City|نيويورك
Los Angeles|Лос-Анджелес|لوس أنجلوس
Mexico City|Ciudad de México|Mexiko-Stadt|CDMX|Мехіко|Мехико
Cairo|القاهرة|Kairo|Le Caire|Il Cairo|El Cairo|Каїр|Каир|Al Qahirah
Giza|الجيزة|Gizeh|Gizah|Al Jizah|Guiza|Гіза|Гиза
Alexandria|الإسكندرية|Alexandrie|Alejandría|Al Iskandariyah|Александрія|Александрия
Damascus|دمشق|Damaskus|Damas|Dimashq|Дамаск
Aleppo|حلب|Halab|Alep|Алеппо
Beirut|بيروت|Beyrouth|Бейрут
Baghdad|بغداد|Bagdad|Багдад
Jerusalem|القدس|ירושלים|Al Quds|Yerushalayim|Єрусалим|Иерусалим
Tel Aviv|תל אביב|Tel-Aviv-Yafo|Тель-Авів|Тель-Авив
Riyadh|الرياض|Riad|Ar Riyad|Ер-Ріяд|Эр-Рияд
Jeddah|جدة|Dschidda|Djeddah|Jidda|Джидда
Mecca|مكة|Makkah|Mekka|La Mecque|Мекка
Medina|المدينة المنورة|Al Madinah|Медіна|Медина
Dubai|دبي|Dubái|Дубай
Abu Dhabi|أبو ظبي|أبوظبي|Абу-Дабі|Абу-Даби
Amman|عمان|Амман
Tunis|تونس|Туніс|Тунис
Algiers|الجزائر|Alger|Algier|Алжир
Casablanca|الدار البيضاء|Касабланка
Tripoli|طرابلس|Tripolis|Триполі|Триполи
Tehran|تهران|Teheran|Téhéran|Тегеран
Tbilisi|Tiflis|თბილისი|Тбілісі|Тбилиси
Yerevan|Jerewan|Erevan|Єреван|Ереван
Baku|Bakı|Баку
Almaty|Alma-Ata|Алмати|Алматы|Алма-Ата
Tashkent|Taschkent|Toshkent|Ташкент
Beijing|Peking|Pékin|Pechino|Pekín|Пекін|Пекин|北京
Guangzhou|Canton|Kanton|Гуанчжоу|广州
Tokyo|Tokio|Токіо|Токио|東京
Seoul|Séoul|Seúl|Сеул|서울
Mumbai|Bombay|Мумбаї|Мумбаи
Kolkata|Calcutta|Kalkutta|Калькутта
Chennai|Madras|Ченнаї
Bengaluru|Bangalore|Бангалор
Ho Chi Minh City|Saigon|Хошимін|Хошимин
"""


def respelled(part: str, one: str, other: str) -> bool:
    """Whether a part of two addresses (`city`) is one in two spellings; a street and a postcode have one."""
    return same_town(one, other) if part in ("city", "region") else words_of(one) == words_of(other)


@dataclass(frozen=True, slots=True)
class _Town:
    """The words of a town's name, or its row in the table; and those that tell where it lies."""

    name: tuple[str, ...] | int
    where: frozenset[str]


@lru_cache(maxsize=16_384)
def same_town(one: str, other: str) -> bool:
    """`Kyiv`, `Київ` and `м. Київ`; `Frankfurt` and `Frankfurt am Main`; not `York` and `New York`, `San` and
    `San Jose`, `Frankfurt (Oder)` and `Frankfurt am Main`."""
    said, told = _town(one), _town(other)
    if said.name == () or told.name == ():
        return words_of(one) == words_of(other)
    return said.name == told.name and (not said.where or not told.where or said.where == told.where)


def _town(text: str) -> _Town:
    row = _table().get(_words(text))
    if row is not None:
        return _Town(row, frozenset())
    found = next((one for one in _WHERE.finditer(text) if _words(text[: one.start()])), None)
    if found is None:
        return _Town(_words(text), frozenset())
    name = _words(text[: found.start()])
    return _Town(_table().get(name, name), frozenset(_words(text[found.end() :])))


def _words(text: str) -> tuple[str, ...]:
    heard = [word for word in sounds(text) if len(word) > 1]
    start = next((place for place, word in enumerate(heard) if word not in _MARKS), 0)
    end = len(heard)
    while end > start + 1 and heard[end - 1] in _REGION:
        end -= 1
    return tuple(heard[start:end])


@cache
def _table() -> dict[tuple[str, ...], int]:
    rows = enumerate(_OTHER_NAMES.strip().splitlines())
    return {_words(name): number for number, row in rows for name in row.split("|")}
