"""The stable codes of configuration problems, and what `trueup explain CODE` says about each."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """One code per kind of mistake; a code never changes its meaning."""

    FILE = "TU-CFG-010"
    SYNTAX = "TU-CFG-011"
    INVISIBLE = "TU-CFG-012"
    UNQUOTED = "TU-CFG-013"
    DUPLICATE = "TU-CFG-014"
    BOUND = "TU-CFG-015"
    LOOKALIKE = "TU-CFG-016"
    KEY = "TU-CFG-020"
    TYPE = "TU-CFG-021"
    WORD = "TU-CFG-022"
    MISSING = "TU-CFG-023"
    HOME = "TU-CFG-024"
    FIELD = "TU-CFG-030"
    TWICE = "TU-CFG-031"
    VALUES = "TU-CFG-032"
    DIRECTION = "TU-CFG-033"
    CONSENT = "TU-CFG-034"
    CONFINED = "TU-CFG-035"
    MAPPING = "TU-CFG-036"
    LAW = "TU-CFG-037"
    NAME = "TU-CFG-040"
    CONDITION = "TU-CFG-050"
    STAGE = "TU-CFG-060"
    ACTION = "TU-CFG-061"
    LOOP = "TU-CFG-062"
    SECRET = "TU-CFG-070"
    VARIABLE = "TU-CFG-071"
    ENV_FILE = "TU-CFG-072"
    EXAMPLE = "TU-CFG-075"
    EXAMPLE_FAILED = "TU-CFG-076"
    LIVE_FIELD = "TU-CFG-080"
    LIVE_WORD = "TU-CFG-081"
    LIVE_TYPE = "TU-CFG-082"
    LIVE_REQUIRED = "TU-CFG-083"
    LIVE_ACCESS = "TU-CFG-084"
    LIVE_KEY = "TU-CFG-085"


EXPLANATIONS = {
    Code.FILE: "A file of the configuration is missing, cannot be read, or is not UTF-8 text.",
    Code.SYNTAX: "The file is not YAML there. Everything that could be read was checked nonetheless.",
    Code.INVISIBLE: "A character that cannot be seen (a tab, a no-break space from a wiki page, a zero-width"
    " sign) stands where only ordinary blanks may.",
    Code.UNQUOTED: "A value begins with, or holds, a sign that YAML reads as its own; quotes make it text.",
    Code.DUPLICATE: "The same key stands twice in one block. YAML would silently keep one of them.",
    Code.BOUND: "The file is larger, deeper or more repetitive than a configuration can sensibly be.",
    Code.LOOKALIKE: "A word mixes alphabets: a Cyrillic or Greek letter that looks like a Latin one.",
    Code.KEY: "This key means nothing here. Every key has one home; see the configuration reference.",
    Code.TYPE: "The value is not of the form that this key takes.",
    Code.WORD: "The value is not one of the words that this key takes.",
    Code.MISSING: "A key without which this part means nothing is not there.",
    Code.HOME: "This is said in another file. The same thing can be said in one place only.",
    Code.FIELD: "No contact, company or deal has this field. `trueup config fields` lists them;"
    " `contact.custom_fields` in hub.yaml adds one.",
    Code.TWICE: "Two rules say one thing, or write one remote field; which of them holds would be chance.",
    Code.VALUES: "A value map leaves out a stage or an option, or names one that does not exist.",
    Code.DIRECTION: "The rule wants to write what cannot be written, or to read what is only computed.",
    Code.CONSENT: "Consent is most-restrictive-wins. Only a stated sign of an opt-out, or an opt-in with"
    " evidence, means anything; absence never does.",
    Code.CONFINED: "A confined field would be written to a system that it may not reach.",
    Code.MAPPING: "The rule cannot be made into a mapping: an unknown transform, a shape that does not"
    " fit the field, an object that the connector does not have.",
    Code.LAW: "Values that the hub writes by this rule come back as others, or cannot be read any more. Tried"
    " with values of every kind, long ones and foreign ones among them, before anything is written.",
    Code.NAME: "A name in `authority`, `control` or `confined_to` is a role or a connection; this one"
    " is neither, is both, or stands for nobody.",
    Code.CONDITION: "The condition cannot be evaluated: a name it uses does not exist, or types do not fit.",
    Code.STAGE: "The life cycle has a stage that nothing leads to or from, that nobody controls, or names one"
    " that does not exist.",
    Code.ACTION: "An action of the life cycle cannot be done by the connections that it names.",
    Code.LOOP: "The same facts satisfy two transitions that lead back to each other: a contact would swing.",
    Code.SECRET: "A secret stands in a file. Secrets are accepted as ${env:NAME} or ${file:PATH} only.",
    Code.VARIABLE: "An environment variable, or a file with a secret, that is named here is missing.",
    Code.ENV_FILE: ".env beside hub.yaml is readable by others or tracked by git; nothing in it was used.",
    Code.EXAMPLE: "An example in examples.yaml does not fit the configuration that it is to test.",
    Code.EXAMPLE_FAILED: "An example in examples.yaml gave something else than it expects: one of"
    " the two, configuration or example, is wrong.",
    Code.LIVE_FIELD: "The system has no such field, or none that this account may see.",
    Code.LIVE_WORD: "The system's list for this field does not have this word.",
    Code.LIVE_TYPE: "The system's field is of another type, or shorter, than what would be written.",
    Code.LIVE_REQUIRED: "The system makes no record without this field, and nothing is mapped to it.",
    Code.LIVE_KEY: "Nothing keeps the column configured as `key` unique, so two rows may share one id.",
    Code.LIVE_ACCESS: "The account may not read or write what the mapping needs, or does not answer at all.",
}
