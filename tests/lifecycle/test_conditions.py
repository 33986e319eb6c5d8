"""Conditions: checked when written, three-valued when asked, and they never raise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.lifecycle.conditions import (
    ANY,
    FUNCTION_NAMES,
    Condition,
    ConditionProblem,
    DaysSince,
    ListOf,
    MapOf,
    Met,
    Named,
    NotMet,
    Unknown,
    compile_condition,
)
from trueup.model.fields import Field
from trueup.model.values import Type

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
STAGES = ("name", "lead", "mql", "sal", "sql", "customer")

NAMES: Mapping[str, Named] = {
    "score": Type.INT,
    "paid_orders": Type.INT,
    "sales": Type.DECIMAL,
    "budget": Type.MONEY,
    "email": Type.EMAIL,
    "tags": Type.TEXTS,
    "counts": ListOf(Type.INT),
    "vip": Type.BOOL,
    "birthday": Type.DATE,
    "seen_at": Type.DATETIME,
    "stage_since": Type.DATETIME,
    "days_in_stage": DaysSince("stage_since"),
    "stage": Field("stage", Type.CHOICE, options=STAGES),
    "company.name": Type.TEXT,
    "consent.email.marketing": Field("c", Type.CHOICE, options=("opted_in", "opted_out", "unknown")),
    "properties": MapOf(Type.TEXT),
    "raw": ANY,
}


def condition(text: str, zone: str = "UTC") -> Condition:
    compiled = compile_condition(text, NAMES, "lifecycle.yaml:7", zone)
    assert isinstance(compiled, Condition), compiled
    return compiled


def problems(text: str) -> list[ConditionProblem]:
    compiled = compile_condition(text, NAMES, "lifecycle.yaml:7")
    assert isinstance(compiled, list), "no problem was found"
    return compiled


def ask(text: str, now: datetime | None = NOW, **values: Any) -> Any:
    return condition(text).met(values, now)


# --- three values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values", "verdict"),
    [
        ("score >= 1 || vip", {"vip": True}, Met()),
        ("vip || score >= 1", {"vip": True}, Met()),
        ("score >= 1 || vip", {"vip": False}, Unknown(("score",))),
        ("score >= 1 && vip", {"vip": False}, NotMet("`vip` is false")),
        ("score >= 1 && vip", {"vip": True}, Unknown(("score",))),
        ("score >= 1 && vip", {}, Unknown(("score", "vip"))),
        ("!(score >= 1)", {}, Unknown(("score",))),
        ("vip ? score > 1 : score < 1", {"score": 5}, Unknown(("vip",))),
        ("vip ? score > 1 : sales < 1", {"vip": True, "score": 5}, Met()),
        ('email != "a@b.de"', {}, Unknown(("email",))),
        ("score in [1, 2]", {}, Unknown(("score",))),
        ("tags.exists(t, size(t) > score)", {"tags": ["abc"]}, Unknown(("score",))),
        ('tags.exists(t, t == "a" || score > 1)', {"tags": ["a"]}, Met()),
    ],
)
def test_what_is_unknown_decides_nothing_unless_the_rest_decides_alone(
    text: str, values: dict[str, Any], verdict: Any
) -> None:
    assert ask(text, **values) == verdict


def test_an_unknown_condition_is_not_met_and_says_which_part_was_unknown() -> None:
    verdict = ask("sales < 100 && days_since(seen_at) > 365", sales="5")
    assert not verdict.met
    assert verdict.reason == "seen_at is not known"


def test_a_condition_that_fails_names_its_failing_part_and_no_value() -> None:
    verdict = ask('score > 10 && email == "secret@ex.com"', score=77, email="a@b.de")
    assert verdict == NotMet('`email == "secret@ex.com"` is false')
    assert "77" not in verdict.reason and "a@b.de" not in verdict.reason


def test_an_empty_set_is_known_to_be_empty_and_an_empty_value_is_unknown() -> None:
    assert ask('!("a" in tags)', tags=None) == Met()
    assert ask("size(tags) == 0") == Met()
    assert ask("score == 0", score=None) == Unknown(("score",))


def test_whether_something_is_known_can_be_asked() -> None:
    assert ask("email == null") == Met()
    assert ask("email != null", email="a@b.de") == Met()
    assert ask("has(company.name)") == NotMet("`has(company.name)` is false")
    assert ask("has(company.name)", company={"name": "Acme"}) == Met()


def test_never_ordered_is_written_with_a_count() -> None:
    assert ask("paid_orders == 0", paid_orders=0) == Met()
    assert ask("days_since(seen_at) > 100000") == Unknown(("seen_at",))


# --- every function, known, unknown, empty, wrong ----------------------------------------------------

TABLE: list[tuple[str, str, str, Any, Any, Any]] = [
    # function, condition, name, a value that meets it, an empty value, a value of the wrong kind
    ("days_since", "days_since(seen_at) == 31", "seen_at", "2024-05-01T00:00:00Z", None, "soon"),
    ("days_until", "days_until(birthday) == 9", "birthday", "2024-06-10", None, 5),
    ("size", "size(email) == 6", "email", "a@b.de", None, True),
    ("contains", 'email.contains("@b")', "email", "a@b.de", None, ["a@b.de"]),
    ("startsWith", 'email.startsWith("a@")', "email", "a@b.de", None, {"a": 1}),
    ("endsWith", 'email.endsWith(".de")', "email", "a@b.de", None, False),
    ("matches", 'email.matches("^a.*de$")', "email", "a@b.de", None, True),
    ("lowerAscii", 'email.lowerAscii() == "a@b.de"', "email", "A@B.de", None, []),
    ("int", "int(sales) == 12", "sales", "12.9", None, "many"),
    ("double", "double(score) == 12.0", "score", 12, None, "x"),
    ("string", 'string(score) == "12"', "score", 12, None, []),
    (
        "timestamp",
        'timestamp(raw) > timestamp("2024-01-01T00:00:00Z")',
        "raw",
        "2024-02-01T00:00:00Z",
        None,
        "x",
    ),
    ("duration", "seen_at - stage_since > duration(raw)", "raw", "1h30m", None, "long"),
    ("getFullYear", "birthday.getFullYear() == 1990", "birthday", "1990-05-01", None, "x"),
    ("getMonth", "birthday.getMonth() == 4", "birthday", date(1990, 5, 1), None, 7),
    ("getDayOfMonth", "seen_at.getDayOfMonth() == 0", "seen_at", "2024-05-01T00:00:00Z", None, True),
    ("exists", 'tags.exists(t, t == "a")', "tags", ["a", "b"], [], "a"),
    ("all", 'raw.all(t, t == "a")', "raw", ["a"], None, "a"),
    ("has", "has(properties.colour)", "properties", {"colour": "red"}, {}, "red"),
]
TIMES = {"seen_at": "2024-05-02T00:00:00Z", "stage_since": "2024-05-01T00:00:00Z"}


def test_the_table_holds_every_function() -> None:
    assert {row[0] for row in TABLE} == set(FUNCTION_NAMES)


@pytest.mark.parametrize(
    ("function", "text", "name", "known", "empty", "wrong"), TABLE, ids=[row[0] for row in TABLE]
)
def test_every_function_of_something_known_unknown_empty_and_wrong(
    function: str, text: str, name: str, known: Any, empty: Any, wrong: Any
) -> None:
    others = {key: value for key, value in TIMES.items() if key != name}
    asked = condition(text)
    assert asked.met({**others, name: known}, NOW) == Met()
    for value in (empty, wrong):
        verdict = asked.met({**others, name: value}, NOW)
        assert not verdict.met
        decided = function == "has" or (function == "exists" and value == [])
        assert isinstance(verdict, NotMet if decided else Unknown)
    assert not asked.met(others, NOW).met


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("score > 1", {"score": "x"}),
        ("score > 1", {"score": True}),
        ("score > 1", {"score": float("nan")}),
        ("sales > 1", {"sales": Decimal("nan")}),
        ("score / paid_orders > 1", {"score": 1, "paid_orders": 0}),
        ("counts[5] == 1", {"counts": [1]}),
        ("counts[0 - 1] == 1", {"counts": [1]}),
        ("vip", {"vip": "yes"}),
        ("raw > 1", {"raw": [1]}),
        ("raw && vip", {"raw": 5, "vip": True}),
        ("!raw", {"raw": {}}),
        ("raw.a.b == 1", {"raw": {"a": 5}}),
        ('raw.matches("a")', {"raw": 5}),
        ("raw * raw * raw * raw > 1", {"raw": 10**40}),
        ("birthday == birthday", {"birthday": "0000-00-00"}),
        ('properties["x"] == "y"', {"properties": {}}),
    ],
)
def test_what_cannot_be_computed_is_unknown_and_raises_nothing(text: str, values: dict[str, Any]) -> None:
    assert isinstance(ask(text, **values), Unknown)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(NAMES)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_no_facts_whatever_make_a_condition_raise(values: dict[str, Any]) -> None:
    for row in TABLE:
        condition(row[1]).met(values, NOW)
        condition(row[1]).next_change(values, NOW)


# --- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sales >= 0.3", {"sales": "0.3"}),
        ("sales == 0.3", {"sales": 0.3}),
        ("budget >= 100", {"budget": {"amount": "100.00", "currency": "EUR"}}),
        (
            'budget.currency == "EUR" && budget.amount == 100',
            {"budget": {"amount": "100", "currency": "EUR"}},
        ),
        ("score > sales", {"score": 2, "sales": "1.5"}),
        ('consent.email.marketing == "opted_in"', {"consent.email.marketing": "opted_in"}),
        ('consent.email.marketing == "opted_in"', {"consent": {"email": {"marketing": "opted_in"}}}),
        ('stage in ["mql", "sal", "sql"]', {"stage": "sal"}),
        ('"beach" in tags && !("investor" in tags)', {"tags": {"beach", "sea"}}),
        ('tags.contains("beach")', {"tags": ("beach",)}),
        ('"red" in properties', {"properties": {"red": "1"}}),
        ('birthday == "1990-05-01"', {"birthday": date(1990, 5, 1)}),
        ('seen_at > "2024-05-01T00:00:00Z"', {"seen_at": datetime(2024, 5, 2)}),
        ("raw == 5", {"raw": "5"}),
        ("raw == true", {"raw": "true"}),
        ("raw.tier == 'gold'", {"raw": {"tier": "gold"}}),
        ("7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1", {}),
        ("7.0 / 2.0 == 3.5", {}),
    ],
)
def test_values_are_compared_as_what_they_are(text: str, values: dict[str, Any]) -> None:
    assert ask(text, **values) == Met()


def test_money_is_exact() -> None:
    assert ask("sales + 0.1 == 0.3", sales="0.2") == Met()


def test_true_is_not_one() -> None:
    assert ask("raw == 1", raw=True) == NotMet("`raw == 1` is false")


# --- the clock -------------------------------------------------------------------------------------


def test_a_date_is_counted_by_the_calendar_of_the_hub() -> None:
    late = datetime(2024, 5, 31, 22, 30, tzinfo=UTC)
    assert (
        condition("days_since(birthday) == 1", "Europe/Kyiv").met({"birthday": "2024-05-31"}, late) == Met()
    )
    assert condition("days_since(birthday) == 0", "UTC").met({"birthday": "2024-05-31"}, late) == Met()


def test_without_a_clock_days_are_unknown() -> None:
    assert ask("days_since(seen_at) > 1", None, seen_at="2024-05-01T00:00:00Z") == Unknown(("now",))


@pytest.mark.parametrize(
    ("text", "values", "turns"),
    [
        ("days_since(seen_at) > 365", {"seen_at": "2024-05-01T00:00:00Z"}, "2025-05-02T00:00:00+00:00"),
        ("days_since(seen_at) >= 365", {"seen_at": "2024-05-01T00:00:00Z"}, "2025-05-01T00:00:00+00:00"),
        ("days_in_stage > 2", {"stage_since": "2024-05-31T00:00:00Z"}, "2024-06-03T00:00:00+00:00"),
        ("days_since(birthday) == 40", {"birthday": "2024-05-01"}, "2024-06-10T00:00:00+00:00"),
        ("days_until(birthday) < 5", {"birthday": "2024-06-10"}, "2024-06-06T00:00:00+00:00"),
        ("days_until(seen_at) < 5", {"seen_at": "2024-06-10T00:00:00Z"}, "2024-06-05T00:00:00.000001+00:00"),
        (
            "days_since(seen_at) > score",
            {"seen_at": "2024-05-01T00:00:00Z", "score": 40},
            "2024-06-11T00:00:00+00:00",
        ),
        ("days_since(seen_at) % 7 == 0", {"seen_at": "2024-05-01T00:00:00Z"}, "2024-06-02T00:00:00+00:00"),
    ],
)
def test_a_condition_tells_when_the_clock_alone_will_turn_it(
    text: str, values: dict[str, Any], turns: str
) -> None:
    assert condition(text).next_change(values, NOW) == datetime.fromisoformat(turns)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("days_since(seen_at) > 3", {"seen_at": "2024-05-01T00:00:00Z"}),
        ("days_since(seen_at) > 3", {}),
        ("score > 3", {"score": 1}),
        ("vip && days_since(seen_at) > 365", {"vip": False, "seen_at": "2024-05-01T00:00:00Z"}),
    ],
)
def test_a_condition_that_the_clock_cannot_turn_never_wakes_anybody(
    text: str, values: dict[str, Any]
) -> None:
    assert condition(text).next_change(values, NOW) is None


@settings(deadline=None, max_examples=60)
@given(
    since=st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31)),
    limit=st.integers(-40, 40),
    sign=st.sampled_from([">", ">=", "<", "<=", "==", "!="]),
    function=st.sampled_from(
        ["days_since(seen_at)", "days_until(seen_at)", "days_since(birthday)", "days_until(birthday)"]
    ),
)
def test_until_the_promised_turn_nothing_changes_and_then_it_does(
    since: datetime, limit: int, sign: str, function: str
) -> None:
    asked = condition(f"{function} {sign} {limit}", "Europe/Kyiv")
    values = {"seen_at": since.replace(tzinfo=UTC), "birthday": since.date()}
    turn = asked.next_change(values, NOW)
    horizon = NOW + timedelta(days=400) if turn is None else turn
    present = asked.met(values, NOW)
    step = (horizon - NOW) / 37
    assert all(asked.met(values, NOW + step * part) == present for part in range(37))
    if turn is not None:
        assert asked.met(values, turn - timedelta(microseconds=1)) == present != asked.met(values, turn)


# --- what is refused when it is written --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("scor >= 1 || true", "scor", "no `scor`", "did you mean `score`?"),
        ("true || days_snce(seen_at) > 1", "days_snce", "no function", "did you mean `days_since`?"),
        ("consent.email == 'x'", "consent.email", "a group of names", "consent.email.marketing"),
        ('stage == "custmer"', '"custmer"', "never", "did you mean `customer`?"),
        ('stage in ["mql", "sqll"]', '"sqll"', "never", "did you mean `sql`?"),
        ('stage > "mql"', 'stage > "mql"', "no order", "stage in ["),
        ('score == "5"', 'score == "5"', "cannot be compared", ""),
        ("seen_at > 365", "seen_at > 365", "cannot be compared", "days_since"),
        ("days_since(email) > 1", "email", "expected a point in time or a date", ""),
        ("size(score) > 1", "score", "is a number", ""),
        ('"a" in email', "email", "not a list", "email.contains"),
        ("5 in tags", "5 in tags", "the list holds text", ""),
        ("score", "score", "true or false", ""),
        ("!score", "score", "expected true or false", ""),
        ("vip && score", "score", "expected true or false", ""),
        ('score + "a" == 3', 'score + "a"', "no meaning", ""),
        ("score = 1", "=", "means nothing", "`==` compares"),
        ("vip and vip", "and", "cannot follow", "`&&` is and"),
        ("vip & vip", "&", "means nothing", "`&&` is and"),
        ("1 < score < 5", "<", "chained", "&&"),
        ("email == “x”", "“", "means nothing", "plain quotes"),
        ('email == "x', '"', "means nothing", "closing quote"),
        ('birthday > "soon"', '"soon"', "not a date", "2024-12-31"),
        ('email.matches("(")', '"("', "regular expression", ""),
        ('seen_at - seen_at > duration("2d")', '"2d"', "not a duration", ""),
        ("email.contains()", "email.contains()", "is written", ""),
        ("has(email)", "has(email)", "a name with a dot", "email != null"),
        ("score.x == 1", "score.x", "has no `x`", ""),
        ("properties == {}", "{", "means nothing", "maps are not supported"),
        ("as == 1", "as", "no `as`", ""),
        ("tags.exists(score > 1)", "tags.exists(score > 1)", "is written", ""),
        ("score.exists(x, x > 1)", "score", "not a list", ""),
        ("(vip", "(vip", "ends too early", ""),
        ("", "", "nothing here", ""),
        ("vip vip", "vip vip", "cannot follow", ""),
        ("!" * 100 + "vip", "!" * 100 + "vip", "deeply", ""),
        ("x" * 5000, "x", "4,000", ""),
    ],
)
def test_a_mistake_is_found_when_it_is_written(text: str, place: str, message: str, hint: str) -> None:
    found = problems(text)[0]
    assert message in found.message and hint in found.hint
    assert found.offset <= len(text) and found.length >= 1
    if len(place) < len(text) and "vip" not in place and place != "x":
        assert text[found.offset :].startswith(place)


def test_all_mistakes_of_a_condition_are_told_at_once() -> None:
    assert [problem.offset for problem in problems('scor > 1 && stage == "x" && foo(1)')] == [0, 21, 28]


def test_a_condition_knows_the_names_it_uses() -> None:
    assert condition('score > 1 && company.name == "A" && days_in_stage > 1').names == (
        "company.name",
        "days_in_stage",
        "score",
        "stage_since",
    )


@pytest.mark.parametrize(
    "text",
    [
        "paid_orders > 0 || score > 0",
        "sales < 100.0 && days_since(seen_at) > 365 && score == 0",
        '"beach" in tags && !("investor" in tags)',
        'consent.email.marketing == "opted_in"',
        'stage in ["mql", "sal", "sql"]',
        'email.contains("/pricing") // of the site',
    ],
)
def test_the_conditions_of_the_examples_are_accepted(text: str) -> None:
    assert condition(text).text == text


# --- the same answers as the package gives ------------------------------------------------------------

NUMBERS = st.recursive(
    st.sampled_from(["score", "paid_orders", "3", "-2", "0", "size(tags)", "size(email)"]),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
    max_leaves=4,
)
TEXTS = st.sampled_from(["email", '"a"', "'b'", '"a" + "b"', r'"\u0041\n"', 'r"\\n"', '"""x"y"""'])
TRUTHS = st.one_of(
    st.builds("{} {} {}".format, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
    st.builds("{} {} {}".format, TEXTS, st.sampled_from(["==", "!=", "<", ">"]), TEXTS),
    st.builds("{} in tags".format, TEXTS),
    st.builds("({}).{}({})".format, TEXTS, st.sampled_from(["contains", "startsWith", "endsWith"]), TEXTS),
    st.builds("{} in [1, {}]".format, NUMBERS, NUMBERS),
    st.builds("tags.{}(t, t == {})".format, st.sampled_from(["exists", "all"]), TEXTS),
    st.sampled_from(["vip", "true", "!vip"]),
)
WHOLE = st.recursive(
    TRUTHS,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["&&", "||"]), inner),
        st.builds("!({})".format, inner),
        st.builds("({}) ? ({}) : ({})".format, inner, inner, inner),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=400)
@given(
    text=WHOLE,
    values=st.fixed_dictionaries(
        {
            "score": st.integers(-9, 9),
            "paid_orders": st.integers(0, 9),
            "email": st.sampled_from(["a", "b", "ab", ""]),
            "tags": st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3),
            "vip": st.booleans(),
        }
    ),
)
def test_of_what_is_known_the_package_gives_the_same_answers(text: str, values: dict[str, Any]) -> None:
    verdict = ask(text, **values)
    try:
        answer = cel.evaluate(text, values)
    except (ArithmeticError, ValueError, RuntimeError, TypeError):
        assert isinstance(verdict, Unknown)
        return
    if not isinstance(verdict, Unknown):
        assert verdict.met is answer


ENDLESS = ("1e9999999", "-1e9999999", "1e-9999999", Decimal("1e9999999"))
ASKED = ("int(properties['x']) > 3", "double(properties['x']) > 3", "sales > 3", "string(sales) == 'a'",
         "sales * sales * sales > 3", "sales / sales == 1.0")  # fmt: skip


@pytest.mark.parametrize("value", ENDLESS, ids=repr)
@pytest.mark.parametrize("text", ASKED)
def test_a_number_that_cannot_be_written_out_is_none(text: str, value: object) -> None:
    asked = condition(text)
    assert not isinstance(asked.met({"sales": value, "properties": {"x": str(value)}}, NOW), Met)


@pytest.mark.parametrize("literal", ["1e9999999", "9" * 200, "0x" + "f" * 200])
def test_a_number_that_cannot_be_written_out_is_no_number_of_a_condition(literal: str) -> None:
    assert "too many digits" in problems(f"sales > {literal}")[0].message


def test_many_large_factors_do_not_make_a_number_without_end() -> None:
    product = " * ".join(["sales"] * 60)
    asked = condition(f"int({product}) > 3")
    assert not isinstance(asked.met({"sales": Decimal("1e99")}, NOW), Met)
