"""dedupe.yaml: the decisions about matching that stay with people."""

from __future__ import annotations

from trueup.config.files.homes import homes
from trueup.config.scalars import Count, Duration, Share, Text, words
from trueup.config.settings import AutoLink, Dedupe, NeverIdentifies, Review, UnsureAfter
from trueup.config.shapes import Key, ListOf, Struct
from trueup.config.vocabulary import RELATIONSHIPS

_AUTO_LINK = Struct(
    "auto_link",
    AutoLink,
    {
        "precision": Key(Share(), "how many of the automatic links must be right", 0.995),
        "at_most_per_run": Key(Count(), "more wait for approval", 500),
    },
)
_REVIEW = Struct(
    "review",
    Review,
    {
        "from": Key(Share(), "probability of one person from which a steward is asked", 0.5),
        "remind_after": Key(Duration(), "age of a question that alerts"),
    },
)
_UNSURE_AFTER = Struct(
    "unsure_after",
    UnsureAfter,
    {
        "days": Key(Count(1), "days without an answer", required=True),
        "as": Key(words("separate", wanted="`separate`"), "what it resolves to", "separate"),
    },
)
_NEVER = Struct(
    "never_identifies",
    NeverIdentifies,
    {
        "emails": Key(ListOf(Text("an address or a pattern as info@*")), "addresses and patterns", ()),
        "phones": Key(ListOf(Text("a phone number")), "own numbers and switchboards", ()),
        "held_by_more_than": Key(Count(1), "a value with more holders identifies nobody", 5),
    },
)

DEDUPE = Struct(
    "dedupe",
    Dedupe,
    {
        "auto_link": Key(_AUTO_LINK, "link records of several systems as one contact", AutoLink()),
        "review": Key(_REVIEW, "in between a steward decides", Review()),
        "unsure_after": Key(_UNSURE_AFTER, "left out: a question waits for its answer"),
        "never_identifies": Key(_NEVER, "values that link nobody by themselves", NeverIdentifies()),
        "vetoes": Key(
            ListOf(Text("a field of the contact")), "both known and different: never one person", ()
        ),
        "relationships": Key(
            ListOf(words(*RELATIONSHIPS, wanted="a relationship")), "known relatives are different people", ()
        ),
    },
    homes=homes("dedupe.yaml"),
)
