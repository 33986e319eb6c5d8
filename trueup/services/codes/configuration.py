"""What is wrong in the files. Their first sentences are in `trueup.config.codes`, beside the checks."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.config.codes import EXPLANATIONS
from trueup.services.codes.explanation import Explanation

_MORE: Mapping[str, Explanation] = {
    "TU-CFG-000": Explanation(
        "The configuration is wrong",
        "Every problem of every file is listed with its place and its own code. No system was asked and"
        " nothing was written.",
        "Correct the lines; `trueup check` tells when all is well. `trueup explain CODE` says more about"
        " each.",
    ),
    "TU-CFG-001": Explanation(
        "A setting makes no sense",
        "A connector cannot be set up with what the file says.",
        "The message names the setting and what it takes.",
    ),
    "TU-CFG-076": Explanation(
        "An example came out otherwise",
        "examples.yaml says what must follow from certain records, and the rules of this configuration"
        " come to another result. Both are shown, with the rule that decided where there was one.",
        "Decide which of the two is meant: correct the example, or the mapping, the survivorship or the"
        " stages.",
    ),
    "TU-CFG-090": Explanation(
        "A system ignores the question what has changed",
        "`trueup check --live` asked it for changes after a day in the far future, and it answered with"
        " records. Many systems ignore a filter that they do not know, or that the account may not use,"
        " without saying so. Every poll would read everything, or the wrong part.",
        "Check the permissions of the account. Until then, poll rarely and say `schedule: {full_listing:"
        " 1h}`.",
    ),
}

_REMEDIES = {
    "TU-CFG-010": "Create the file, rename it, or save it as plain UTF-8 text.",
    "TU-CFG-011": (
        "Correct the line that the caret marks. Most often a quote, a bracket or a blank after a colon is"
        " missing."
    ),
    "TU-CFG-012": "Type the blank anew. Text that was copied from a wiki or a chat brings such signs along.",
    "TU-CFG-013": "Put quotes around the value, as the message shows.",
    "TU-CFG-014": "Keep one of the two, or join what they say.",
    "TU-CFG-015": "Split it: one file for each connection.",
    "TU-CFG-016": "Type the word anew with one keyboard layout; the message names the letter.",
    "TU-CFG-020": (
        "Correct the key (`did you mean` names the nearest) or move it to the file that is its home."
    ),
    "TU-CFG-021": "Write it in the form that the message shows.",
    "TU-CFG-022": "Take one of the words that the message lists.",
    "TU-CFG-023": "Add the key.",
    "TU-CFG-024": (
        "Say it in one place: which value wins in hub.yaml, matching in dedupe.yaml, the rest in the"
        " connection."
    ),
    "TU-CFG-030": "Correct the name, or declare the field under `contact.custom_fields` in hub.yaml.",
    "TU-CFG-031": "Take one of the two rules away, or name the default line under `without:`.",
    "TU-CFG-032": "Give every stage or option a word, or say `unlisted: leave`.",
    "TU-CFG-033": "Say `direction: in` for what is only read, `out` for what is only written.",
    "TU-CFG-034": (
        "Name the value that means opted out; for opt-ins, name the evidence that the system keeps."
    ),
    "TU-CFG-035": (
        "Take the line away, or widen `confined_to` in hub.yaml if the field may go there after all."
    ),
    "TU-CFG-036": "Take a transform, shape or object that the message lists.",
    "TU-CFG-037": (
        "Change what the message names in that line (`transform`, `values`, `too_long`), or only read the"
        " field: `direction: in`."
    ),
    "TU-CFG-040": "Correct the name; where a name is a role and a connection, rename the connection.",
    "TU-CFG-050": (
        "Correct the name or the types in the condition. `trueup config fields` lists the contact's fields."
    ),
    "TU-CFG-060": "Add the way in or out under `transitions`, or take the stage away.",
    "TU-CFG-061": (
        "Add to the connection what the action needs (`deactivate:`, `create:`), or take the action away."
    ),
    "TU-CFG-062": (
        "Make one of the two conditions count since the last way back (`since: stage_cycle`), or exclude"
        " the other."
    ),
    "TU-CFG-070": (
        "Put the secret into .env or the environment and write ${env:NAME}. Have it issued anew: it was"
        " in a file."
    ),
    "TU-CFG-071": (
        "Set the variable where trueup runs, or in .env beside hub.yaml. The message says where the"
        " vendor issues it."
    ),
    "TU-CFG-072": "chmod 600 .env; take it out of git and have its secrets issued anew.",
    "TU-CFG-075": (
        "Correct the example: it can name fields, stages, connections and objects of this configuration only."
    ),
    "TU-CFG-080": (
        "Correct the name of the field or subscription (`trueup connections fields NAME WORD` searches) or"
        " give the account the right to see it."
    ),
    "TU-CFG-081": "Correct the word, or add it to the list in that system.",
    "TU-CFG-082": (
        "Map another field, say how the value is turned (`transform:`), or make the field there longer."
    ),
    "TU-CFG-083": "Map a field to it, with a `default:` for contacts that have none.",
    "TU-CFG-084": (
        "Check the credentials and the permissions of the account; `trueup connections test NAME` tries them."
    ),
    "TU-CFG-085": "Make the column unique there, or name one as `key` that is.",
}


def _of_the_files() -> Mapping[str, Explanation]:
    return {
        code.value: Explanation(
            _title(text), text, _REMEDIES.get(code.value, "The message says what to write.")
        )
        for code, text in EXPLANATIONS.items()
    }


def _title(text: str) -> str:
    """The first sentence, without its stop."""
    return text.split(". ")[0].rstrip(".")


CONFIGURATION: Mapping[str, Explanation] = {**_MORE, **_of_the_files()}
