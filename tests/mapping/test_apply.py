"""Compiled mappings: what a record says, what is written, what a target keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mapping.strategies import KYIV, RAW, canonical
from trueup.errors import ConfigError
from trueup.mapping.apply import compile_mapping, keeps, observe
from trueup.mapping.check import Law, sample_records, violations
from trueup.mapping.compiled import ObjectMapping
from trueup.mapping.schema import (
    ConsentRule,
    Direction,
    FieldRule,
    ObjectRules,
    Publish,
    Shape,
    TooLong,
    Unmapped,
)
from trueup.model.canonical import Locale
from trueup.model.fields import COMPANY, CONTACT, DEAL, TABLES, Field, Kind
from trueup.model.record import FieldSpec
from trueup.model.values import ABSENT, Rejected, Type

STAGES = {
    "lead": ("lead",),
    "mql": ("marketing",),
    "sal": ("marketing",),
    "recycled": ("Recycled", "Closed - Not Converted"),
}


def mapping(
    *rules: FieldRule,
    consent: tuple[ConsentRule, ...] = (),
    custom: tuple[Field, ...] = (),
    kind: Kind = Kind.CONTACT,
    locale: Locale = KYIV,
    **specs: FieldSpec,
) -> ObjectMapping:
    table = {**TABLES[kind], **{field.name: field for field in custom}}
    return compile_mapping("sales", ObjectRules("o", kind, rules, consent=consent), table, locale, specs)


def said(compiled: ObjectMapping, **values: Any) -> Any:
    return dict(observe(compiled, values).values)


def written(compiled: ObjectMapping, **values: Any) -> Any:
    return compiled.bindings[0].write(values)


def kept(compiled: ObjectMapping, **values: Any) -> Any:
    return keeps(compiled.bindings[0], values)


def spec(type: str, **more: Any) -> FieldSpec:
    return FieldSpec("r", "R", type, **more)


# --- absent, empty, rejected -----------------------------------------------------------------------


def test_a_path_that_is_missing_says_nothing_and_null_says_empty() -> None:
    compiled = mapping(FieldRule("job_title", "title"), FieldRule("department", "dep"))
    assert said(compiled, title=None) == {"job_title": None}


NULLS = [
    (None, {"x": None}),
    ("", {"x": None}),
    (" ", {"x": None}),
    ("Unknown", {"x": None}),
    ("N/A", {"x": None}),
]


@pytest.mark.parametrize(
    ("type", "raw", "expected"),
    [(type, raw, expected) for type in (Type.TEXT, Type.INT, Type.BOOL, Type.DATE) for raw, expected in NULLS]
    + [(Type.INT, 0, {"x": 0}), (Type.BOOL, False, {"x": False}), (Type.TEXT, 0, {"x": "0"})],
)
def test_blank_is_empty_and_zero_and_false_are_values(type: Type, raw: Any, expected: dict[str, Any]) -> None:
    assert said(mapping(FieldRule("x", "r"), custom=(Field("x", type),)), r=raw) == expected


def test_one_value_without_a_form_is_rejected_alone_and_the_rest_is_read() -> None:
    compiled = mapping(FieldRule("birthday", "dob"), FieldRule("email", "mail"))
    observation = observe(compiled, {"dob": "soon", "mail": "ann@ex.com"})
    assert observation.values == {"email": "ann@ex.com"}
    assert list(observation.rejected) == ["dob"]


def test_a_field_that_only_goes_out_is_not_read() -> None:
    assert said(mapping(FieldRule("score", "s", Direction.OUT)), s=5) == {}


def test_all_paths_that_must_be_asked_for_are_named_once() -> None:
    rules = ObjectRules(
        "o",
        Kind.CONTACT,
        (FieldRule("email", "mail"), FieldRule("tags", "tags")),
        consent=(ConsentRule("email", "marketing", "tags", Shape.ELEMENT, "no", "present"),),
        deactivate={"active": False},
    )
    assert compile_mapping("c", rules, CONTACT, KYIV).remote_fields == ("mail", "tags", "active")


# --- words ------------------------------------------------------------------------------------------


def test_of_several_remote_words_the_first_is_written_and_all_are_read() -> None:
    compiled = mapping(FieldRule("stage", "r", values=STAGES))
    assert written(compiled, stage="recycled") == "Recycled"
    assert said(compiled, r="closed - not converted") == {"stage": "recycled"}


def test_a_remote_word_that_several_words_share_reads_as_the_first_of_them() -> None:
    compiled = mapping(FieldRule("stage", "r", values=STAGES))
    assert written(compiled, stage="sal") == "marketing"
    assert kept(compiled, stage="sal") == {"stage": "mql"}


@pytest.mark.parametrize(
    ("policy", "read", "write"),
    [
        (Unmapped.ERROR, "rejected", "rejected"),
        (Unmapped.PASS, "odd", "even"),
        (Unmapped.CREATE, "odd", "even"),
        (Unmapped.LEAVE, "nothing", ABSENT),
        (Unmapped.DEFAULT, "a", "A"),
    ],
)
def test_a_word_that_the_map_lacks_follows_the_rule(policy: Unmapped, read: str, write: Any) -> None:
    rule = FieldRule("x", "r", values={"a": ("A",)}, unmapped=policy, default="A")
    compiled = mapping(rule, custom=(Field("x", Type.TEXT),))
    observation = observe(compiled, {"r": "odd"})
    got = "rejected" if observation.rejected else observation.values.get("x", "nothing")
    outward = written(compiled, x="even")
    assert got == read
    assert ("rejected" if isinstance(outward, Rejected) else outward) == write


def test_an_unmapped_word_names_the_words_there_are() -> None:
    compiled = mapping(FieldRule("stage", "r", values=STAGES))
    rejected = observe(compiled, {"r": "secret"}).rejected["r"]
    assert "lead, marketing, Recycled" in rejected.reason and "secret" not in rejected.reason


def test_a_value_map_speaks_of_numbers_and_flags_too() -> None:
    compiled = mapping(FieldRule("gender", "r", values={"female": (1,), "male": (True, "m")}))
    assert said(compiled, r="1") == {"gender": "female"}
    assert said(compiled, r="TRUE") == {"gender": "male"}
    assert written(compiled, gender="female") == 1


def test_what_a_picklist_lacks_is_refused_with_the_list_and_its_spelling_is_used() -> None:
    country = spec("choice", options={"Germany": "Germany", "fr": "France"})
    compiled = mapping(FieldRule("address.country", "r"), r=country)
    assert written(compiled, **{"address.country": "DE"}) == "Germany"
    assert written(compiled, **{"address.country": "FR"}) == "fr"
    refused = written(compiled, **{"address.country": "US"})
    assert isinstance(refused, Rejected) and "Germany, fr" in refused.reason


def test_a_word_is_written_in_the_case_of_the_targets_list() -> None:
    compiled = mapping(FieldRule("source", "r"), r=spec("choice", options={"Web": "Web site"}))
    assert written(compiled, source="WEB") == "Web"
    assert written(compiled, source="web site") == "Web"


# --- formats ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "there"), [(";", "b;a"), (",", "b,a"), ("", ["b", "a"])])
def test_a_multi_choice_is_held_as_the_system_says(sign: str, there: Any) -> None:
    options = {"a": "Alpha", "b": "Beta"}
    compiled = mapping(FieldRule("products", "r"), r=spec("multi_choice", options=options, joined_by=sign))
    assert said(compiled, r=there) == {"products": ["a", "b"]}
    assert written(compiled, products=["b", "a"]) == there
    assert isinstance(written(compiled, products=["a", "c"]), Rejected)


@pytest.mark.parametrize(
    ("remote", "field", "value", "form"),
    [
        (spec("bool"), Field("x", Type.BOOL), True, True),
        (spec("bool", options={"true": "Yes", "false": "No"}), Field("x", Type.BOOL), True, "true"),
        (spec("text"), Field("x", Type.BOOL), False, "false"),
        (spec("text"), Field("x", Type.INT), 7, "7"),
        (spec("decimal"), Field("x", Type.DECIMAL), "12.5", 12.5),
        (spec("text"), Field("x", Type.DECIMAL), "12.5", "12.5"),
        (spec("date"), Field("x", Type.DATETIME), "2024-01-01T23:00:00Z", "2024-01-02"),
        (spec("datetime"), Field("x", Type.DATE), "2024-01-01", "2024-01-01T00:00:00Z"),
        (spec("phone"), Field("x", Type.PHONE), "+380671234567;ext=5", "+380671234567 ext. 5"),
    ],
)
def test_a_value_is_written_in_the_type_that_the_system_names(
    remote: FieldSpec, field: Field, value: Any, form: Any
) -> None:
    compiled = mapping(FieldRule("x", "r"), custom=(field,), r=remote)
    assert written(compiled, x=value) == form
    assert type(written(compiled, x=value)) is type(form)
    assert not observe(compiled, {"r": form}).rejected


def test_text_longer_than_the_target_keeps_is_refused_or_cut_as_the_rule_says() -> None:
    refusing = mapping(FieldRule("job_title", "r"), r=spec("text", max_length=4))
    cutting = mapping(FieldRule("job_title", "r", too_long=TooLong.TRUNCATE), r=spec("text", max_length=4))
    assert isinstance(written(refusing, job_title="Chief"), Rejected)
    assert written(cutting, job_title="Chi f") == "Chi"
    assert kept(cutting, job_title="Chief") == {"job_title": "Chie"}
    assert kept(cutting, **kept(cutting, job_title="Chief")) == {"job_title": "Chie"}


def test_an_email_is_never_cut() -> None:
    compiled = mapping(FieldRule("email", "r", too_long=TooLong.TRUNCATE, max_length=8))
    assert isinstance(written(compiled, email="ann@ex.com"), Rejected)


def test_a_joined_set_is_cut_between_its_elements() -> None:
    rule = FieldRule("tags", "r", transform="semicolon_list", too_long=TooLong.TRUNCATE, max_length=6)
    assert written(mapping(rule), tags=["abc", "de", "f"]) == "abc;de"


def test_a_filler_is_written_where_nothing_is_known_and_reads_as_empty() -> None:
    compiled = mapping(FieldRule("last_name", "r", default="Private person"), r=spec("text", max_length=7))
    assert written(compiled, last_name=None) == "Private person"
    assert said(compiled, r="private person") == {"last_name": None}
    assert said(compiled, r="Private") == {"last_name": None}


def test_a_number_that_stands_for_nothing_can_be_declared() -> None:
    compiled = mapping(FieldRule("score", "r", default=0))
    assert said(compiled, r=0) == {"score": None}
    assert said(compiled, r=1) == {"score": 1}


def test_a_default_that_the_value_map_gives_a_meaning_keeps_it() -> None:
    compiled = mapping(FieldRule("gender", "r", values={"other": ("X",)}, default="X"))
    assert said(compiled, r="X") == {"gender": "other"}


def test_a_field_that_the_system_does_not_let_be_written_is_only_read() -> None:
    assert (
        mapping(FieldRule("score", "r"), r=spec("int", writable=False)).bindings[0].direction is Direction.IN
    )
    outward = mapping(FieldRule("score", "r", Direction.OUT), r=spec("int", writable=False))
    assert isinstance(written(outward, score=1), Rejected)


# --- names, references, money, presence -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Ann Smith", (None, "Ann", None, "Smith", None)),
        ("Smith, Ann", (None, "Ann", None, "Smith", None)),
        ("Dr. Juan Q. Xavier de la Vega III", ("Dr.", "Juan", "Q. Xavier", "de la Vega", "III")),
        ("van Gogh, Vincent", (None, "Vincent", None, "van Gogh", None)),
        ("Иванов Иван Иванович", (None, "Иван", "Иванович", "Иванов", None)),
        ("Іваненко Олена Петрівна", (None, "Олена", "Петрівна", "Іваненко", None)),
        ("Климович Олег Іванович", (None, "Олег", "Іванович", "Климович", None)),
        ("Олег Іванович Климович", (None, "Олег", "Іванович", "Климович", None)),
        ("محمد بن سلمان", (None, "محمد", None, "بن سلمان", None)),
        ("Madonna", (None, None, None, "Madonna", None)),
        ("Sir Ian", ("Sir", None, None, "Ian", None)),
        ("Unknown Smith", (None, None, None, "Smith", None)),
        ("N/A", (None, None, None, None, None)),
    ],
)
def test_a_full_name_is_read_into_its_parts(text: str, parts: tuple[str | None, ...]) -> None:
    assert tuple(said(mapping(FieldRule("full_name", "r")), r=text).values()) == parts


def test_a_full_name_is_written_joined_or_last_name_first() -> None:
    values = {"salutation": "Dr.", "first_name": "Ann", "last_name": "Smith", "name_suffix": "Jr."}
    assert written(mapping(FieldRule("full_name", "r")), **values) == "Dr. Ann Smith Jr."
    assert (
        written(mapping(FieldRule("full_name", "r", transform="last_first")), **values)
        == "Smith, Dr. Ann, Jr."
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Бойко Іван", (None, "Іван", None, "Бойко", None)),
        ("Boiko Ivan", (None, "Ivan", None, "Boiko", None)),
        ("Кравчук Олена Іванівна", (None, "Олена", "Іванівна", "Кравчук", None)),
        ("Шушкевич Ірина Павлівна", (None, "Ірина", "Павлівна", "Шушкевич", None)),
        ("Абрамович Роман Аркадьевич", (None, "Роман", "Аркадьевич", "Абрамович", None)),
        ("Олена Іванівна Кравчук", (None, "Олена", "Іванівна", "Кравчук", None)),
        ("Бойко-Мельник Іван", (None, "Іван", None, "Бойко-Мельник", None)),
        ("van der Berg Jan", (None, "Jan", None, "van der Berg", None)),
        ("Dr. Smith Ann Jr.", ("Dr.", "Ann", None, "Smith", "Jr.")),
        ("Бойко", (None, None, None, "Бойко", None)),
        ("Бойко, Іван", (None, "Іван", None, "Бойко", None)),
        ("Бойко Мельник Іван Петрович", (None, None, None, "Бойко Мельник Іван Петрович", None)),
    ],
)
def test_a_register_names_the_family_first_with_a_comma_or_without(
    text: str, parts: tuple[str | None, ...]
) -> None:
    compiled = mapping(FieldRule("full_name", "r", transform="last_first"))
    assert tuple(said(compiled, r=text).values()) == parts


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("Іван", "Бойко", "Бойко Іван"),
        ("Олена Іванівна", "Кравчук", "Кравчук Олена Іванівна"),
        ("Vincent", "Van Gogh", "Van Gogh, Vincent"),  # a comma where nobody could tell without it
        (None, "Бойко", "Бойко"),
    ],
)
def test_a_register_without_commas_is_written_without_them(first: str | None, last: str, text: str) -> None:
    compiled = mapping(FieldRule("full_name", "r", transform="last_first(space)"))
    assert written(compiled, first_name=first, last_name=last) == text


@pytest.mark.parametrize(
    "text", ["Бойко Іван", "Кравчук Олена Іванівна", "Бойко", "Іван Бойко Мельник Петро"]
)
def test_what_a_register_without_commas_said_is_written_back_letter_for_letter(text: str) -> None:
    compiled = mapping(FieldRule("full_name", "r", transform="last_first(space)"))
    assert written(compiled, **said(compiled, r=text)) == text


NAME_LETTERS = st.text(alphabet="abcDE .,'\"()-üИванов", max_size=30)
NAME_PARTS = st.none() | st.sampled_from(
    ["Dr.", "Ann", "de la", "Smith", "Jr.", "van", "III", "Мария", "O'Neil", "Іванівна", "Бойко", "Климович"]
)
NAMES = st.lists(NAME_PARTS.filter(bool), max_size=5).map(" ".join)


@pytest.mark.parametrize("transform", [None, "last_first", "last_first(space)"])
@settings(deadline=None, max_examples=150)
@given(text=NAME_LETTERS | NAMES, parts=st.tuples(*[NAME_PARTS] * 5))
def test_a_full_name_obeys_the_laws(transform: str | None, text: str, parts: tuple[str | None, ...]) -> None:
    compiled = mapping(FieldRule("full_name", "r", transform=transform))
    values = dict(zip(compiled.bindings[0].fields, parts, strict=True))
    assert violations(compiled.bindings, [values], [{"r": text}]) == []


def test_a_reference_is_the_remote_id_as_text_and_names_its_object() -> None:
    compiled = mapping(FieldRule("company", "AccountId", to="Account"))
    binding = compiled.bindings[0]
    assert (binding.refers, binding.to) == (Kind.COMPANY, "Account")
    assert said(compiled, AccountId=17) == {"company": "17"}
    assert written(compiled, company="17") == "17"


def test_what_is_read_through_a_reference_is_only_carried_outward() -> None:
    assert mapping(FieldRule("owner.email", "RepEmail")).bindings[0].direction is Direction.OUT


def test_a_company_s_name_that_people_type_on_a_contact_is_read_too() -> None:
    assert mapping(FieldRule("company.name", "Company")).bindings[0].direction is Direction.BOTH


def test_an_amount_and_its_currency_are_two_bindings() -> None:
    compiled = mapping(FieldRule("amount", "total", currency="cur"), kind=Kind.DEAL)
    assert said(compiled, total="12,50", cur="EUR") == {"amount": "12.5", "currency": "EUR"}
    assert compiled.remote_fields == ("total", "cur")


def test_a_truth_value_can_be_one_element_of_a_list_and_is_then_no_tag() -> None:
    rules = (FieldRule("vip", "tags#vip", shape=Shape.ELEMENT), FieldRule("tags", "tags"))
    compiled = mapping(*rules, custom=(Field("vip", Type.BOOL),))
    assert said(compiled, tags=["VIP", "b"]) == {"vip": True, "tags": ["b"]}
    assert said(compiled, tags=None) == {"vip": False, "tags": None}


def test_sets_are_addressed_with_brackets_too() -> None:
    assert said(mapping(FieldRule("emails[]", "r")), r=["B@x.de", "a@x.de"]) == {
        "emails": ["a@x.de", "B@x.de"]
    }


def test_a_rule_carries_its_policies_onto_the_binding() -> None:
    rule = FieldRule("x", "r", publish=Publish(60.0), create_only=True, origin="connections/sales.yaml:7")
    binding = mapping(rule, custom=(Field("x", Type.TEXT),)).bindings[0]
    assert binding.publish == Publish(60.0)
    assert binding.create_only
    assert binding.origin == "connections/sales.yaml:7"


# --- consent ----------------------------------------------------------------------------------------

OUT, IN, UNKNOWN = "opted_out", "opted_in", "unknown"


def consent(**rule: Any) -> ObjectMapping:
    return mapping(consent=(ConsentRule("email", "marketing", rule.pop("remote", "r"), **rule),))


def state(compiled: ObjectMapping, raw: Any) -> Any:
    return observe(compiled, {compiled.bindings[0].remote: raw}).values["consent.email.marketing"]


@pytest.mark.parametrize("raw", [True, "true", "True", 1, "1", "Yes", "Y"])
def test_a_flag_in_any_spelling_is_an_opt_out(raw: Any) -> None:
    assert state(consent(), raw) == OUT


@pytest.mark.parametrize("raw", [False, "false", 0, None, "", "maybe", {"status": "odd"}])
def test_everything_else_a_flag_may_hold_says_nothing(raw: Any) -> None:
    assert state(consent(), raw) == UNKNOWN


def test_a_tag_says_opt_out_by_being_there_and_is_written_as_presence() -> None:
    compiled = consent(remote="tags", shape=Shape.ELEMENT, element="no_mail", opted_out="present")
    assert state(compiled, ["a", "No_Mail"]) == OUT
    assert state(compiled, ["a"]) == UNKNOWN
    assert state(compiled, "a, no_mail") == OUT
    assert compiled.bindings[0].write({"consent.email.marketing": OUT}) is True
    assert compiled.bindings[0].write({"consent.email.marketing": UNKNOWN}) is False


def test_a_tag_whose_absence_means_opted_out_is_taken_away() -> None:
    compiled = consent(remote="tags", shape=Shape.ELEMENT, element="mail_ok", opted_out="absent")
    assert state(compiled, []) == OUT
    assert compiled.bindings[0].write({"consent.email.marketing": OUT}) is False


@pytest.mark.parametrize(
    ("status", "at", "source", "expected"),
    [
        ("SUBSCRIBED", "2024-01-01T00:00:00Z", "form", IN),
        ("SUBSCRIBED", None, "form", UNKNOWN),
        ("SUBSCRIBED", "2024-01-01T00:00:00Z", " ", UNKNOWN),
        ("SUBSCRIBED", "yesterday", "form", UNKNOWN),
        ("UNSUBSCRIBED", None, None, OUT),
        ("NOT_SPECIFIED", "2024-01-01T00:00:00Z", "form", UNKNOWN),
    ],
)
def test_an_opt_in_counts_only_with_the_evidence_demanded(
    status: str, at: Any, source: Any, expected: str
) -> None:
    raw = {"status": status, "at": at, "source": source}
    assert state(consent(evidence=("time", "source")), raw) == expected


def test_without_demanded_evidence_a_system_can_never_grant() -> None:
    assert (
        state(consent(), {"status": "SUBSCRIBED", "at": "2024-01-01T00:00:00Z", "source": "form"}) == UNKNOWN
    )


@pytest.mark.parametrize(
    ("word", "other"),
    [(True, False), (False, True), ("Yes", "No"), ("N", "Y"), ("true", "false"), (1, 0), ("stop", None)],
)
def test_not_opted_out_is_written_as_the_value_that_does_not_mean_it(word: Any, other: Any) -> None:
    compiled = consent(opted_out=word)
    assert compiled.bindings[0].write({"consent.email.marketing": OUT}) == word
    assert compiled.bindings[0].write({"consent.email.marketing": IN}) == other
    assert state(compiled, word) == OUT and state(compiled, other) == UNKNOWN


def test_a_subscription_is_written_by_its_status() -> None:
    compiled = consent(remote="subscriptions.Newsletter", evidence=("time",))
    assert compiled.bindings[0].write({"consent.email.marketing": OUT}) == {"status": "UNSUBSCRIBED"}
    assert compiled.bindings[0].write({"consent.email.marketing": UNKNOWN}) is None


def test_the_tag_of_a_consent_is_not_among_the_tags() -> None:
    rule = ConsentRule("email", "marketing", "tags", Shape.ELEMENT, "no_mail", "present")
    compiled = mapping(FieldRule("tags", "tags"), consent=(rule,))
    assert said(compiled, tags=["a", "no_mail"]) == {"tags": ["a"], "consent.email.marketing": OUT}


# --- laws, problems --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.CONTACT, Kind.COMPANY, Kind.DEAL, Kind.USER])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_plain_rule_of_every_field_obeys_the_laws(kind: Kind, data: st.DataObject) -> None:
    names = [name for name in TABLES[kind] if name != "full_name"]
    compiled = mapping(*(FieldRule(name, name) for name in names), kind=kind)
    name = data.draw(st.sampled_from(names))
    sample, raw = data.draw(canonical(TABLES[kind][name])), data.draw(RAW)
    assert violations(compiled.bindings, [{name: sample}], [{name: raw}], TABLES[kind]) == []


@pytest.mark.parametrize("table", [CONTACT, COMPANY, DEAL], ids=["contact", "company", "deal"])
def test_the_samples_that_check_uses_pass_a_plain_mapping(table: dict[str, Field]) -> None:
    kind = next(kind for kind, each in TABLES.items() if each is table)
    compiled = mapping(*(FieldRule(name, name) for name in table if name != "full_name"), kind=kind)
    assert violations(compiled.bindings, sample_records(table), types=table) == []


def test_check_finds_a_format_that_loses_more_each_time() -> None:
    compiled = mapping(FieldRule("job_title", "r"))
    binding = compiled.bindings[0]
    shrinking = replace(binding, write=lambda values: (values["job_title"] or "")[:-1] or None)
    broken = violations((shrinking,), [{"job_title": "abc"}], [{"r": "abc"}])
    assert [each.law for each in broken] == [Law.STABLE, Law.FAITHFUL]
    assert "abc" not in str(broken)


def test_check_finds_a_function_that_raises() -> None:
    compiled = mapping(FieldRule("job_title", "r"))
    raising = replace(compiled.bindings[0], write=lambda values: values["nothing"])
    assert violations((raising,), [{"job_title": "a"}])[0].law is Law.TOTAL


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([FieldRule("jobtitle", "r", origin="sales.yaml:7")], "no field `jobtitle`"),
        ([FieldRule("email", "r", transform="lowr")], "did you mean `lower`"),
        ([FieldRule("email", "a"), FieldRule("email", "b")], "`email` is read from `a` too"),
        (
            [FieldRule("email", "a"), FieldRule("source", "a", Direction.OUT)],
            "`a` is written from `email` too",
        ),
        ([FieldRule("first_name", "a"), FieldRule("full_name", "b")], "`first_name (a part of full_name)`"),
        ([FieldRule("owner.email", "a", Direction.IN)], "never in"),
        ([FieldRule("email", "a#b", shape=Shape.ELEMENT)], "true/false fields"),
    ],
)
def test_rules_that_cannot_be_compiled_are_told(rules: list[FieldRule], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mapping(*rules)
    assert says in str(caught.value)


def test_every_problem_is_told_at_once_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        mapping(FieldRule("nope", "a", origin="sales.yaml:7"), FieldRule("x", "b", origin="sales.yaml:9"))
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [
        ("sales.yaml", 7),
        ("sales.yaml", 9),
    ]


def test_two_rules_on_one_remote_field_have_keys_of_their_own() -> None:
    compiled = mapping(FieldRule("company_name", "r", Direction.IN), FieldRule("company.name", "r"))
    assert [binding.key for binding in compiled.bindings] == ["r", "r@company.name"]
