"""What every stable code means, at length: what happened, what the hub did about it, what a person does.

A code never changes its meaning. The codes of the configuration have their first sentence in
`trueup.config.codes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trueup.config.codes import EXPLANATIONS


@dataclass(frozen=True, slots=True)
class Explanation:
    """`title` in a few words; `what` happened and what the hub did; `do` is for a person."""

    title: str
    what: str
    do: str


_SYSTEMS = {
    "TU-AUT-001": Explanation(
        "A system does not let us in, or not that far",
        "The system refused the credentials of the connection (a wrong or expired token, a password that"
        " was changed, an app that was removed), or the account behind them lacks a permission. The"
        " connection is left alone for the rest of the run; the other connections go on. Nothing is lost:"
        " its pending writes wait, and reading goes on where it stopped.",
        "Read the system's own words in the second line of the message: many name the missing permission"
        " (scope). Issue new credentials, or give the account the permission; put the new secret where"
        " `${env:NAME}` or `${file:PATH}` finds it. `trueup connections test NAME` tries it, `trueup"
        " sync` goes on.",
    ),
    "TU-CON-001": Explanation(
        "A system could not do what was asked",
        "The system answered with an error that fits no other kind.",
        "Read its own words in the second line. `trueup connections test NAME` tells whether it works at"
        " all.",
    ),
    "TU-CON-010": Explanation(
        "A system cannot be used now",
        "The call certainly changed nothing: no connection, a time-out before anything was sent, an"
        " overloaded or locked system, a file that is still being written. Reads were repeated a few"
        " times at once; writes are repeated later with the same content.",
        "Usually nothing: the next sync goes on. If it lasts, check the address and the network, and the"
        " system's status page.",
    ),
    "TU-CON-011": Explanation(
        "A system asks us to wait",
        "The system's rate limit, or the allowance that the configuration gives the hub, is used up. The"
        " whole connection waits as long as the system names, at most a day; opt-outs have a reserve of"
        " their own.",
        "Usually nothing. If it happens in every run, poll less often (`schedule: every`) or raise"
        " `budget` where the account allows more; `trueup check` prints calls per day and the share of"
        " the limit.",
    ),
    "TU-CON-012": Explanation(
        "Tried as long as makes sense",
        "A write was tried again and again over days, and each time the system was not able to take it."
        " It waits for a person now; other fields and other contacts are not affected. Limits and logins"
        " that do not hold are no attempts, and opt-outs are tried until they are delivered.",
        "`trueup failures` groups such writes by cause. When the cause is gone: `trueup failures retry"
        " CAUSE`.",
    ),
    "TU-CON-013": Explanation(
        "The table was changed while the hub worked with it",
        "A column or table that the hub knew a moment ago is not there any more, or is of another kind."
        " Nothing was written by that call, and it is tried again with what is there now.",
        "`trueup check --live` compares the mapping with the table as it is. Correct the mapping if a column"
        " was renamed or removed.",
    ),
    "TU-CON-020": Explanation(
        "It is unknown whether a write was done",
        "A write went out and no usable answer came back (the connection broke, a proxy answered in the"
        " system's place, the process ended). Sending it again could make a second record, so the hub"
        " reads first: if the value is there, it is done; if not, the same content is sent once more.",
        "Nothing, except `trueup sync`. It resolves itself as soon as the system can be read again.",
    ),
    "TU-CON-030": Explanation(
        "The record changed meanwhile",
        "Somebody edited the record between our reading and our writing. Nothing was written over that"
        " edit: the record is read and decided anew.",
        "Nothing; the next sync takes the edit into account.",
    ),
    "TU-CON-040": Explanation(
        "The record is not there any more",
        "It was deleted, or merged or converted into another one. If the system names a successor, the"
        " contact is followed there; else the record is unlinked and not created again by itself.",
        "Nothing, unless it should exist: then create it there; it is linked by its e-mail address or"
        " telephone.",
    ),
    "TU-CON-050": Explanation(
        "The answer is not what the system promises",
        "An HTML page, half an answer, another host, or a form that the system does not document. Nothing"
        " of it was used, and the position of reading did not move: no record counts as missing because"
        " of it.",
        "Often a proxy, a login page or a maintenance page stands in between, or the address names"
        " another account. `trueup connections test NAME` shows what is reached.",
    ),
    "TU-CON-060": Explanation(
        "A consent was written and does not show",
        "The system answered that an opt-out (or a documented opt-in) was written, but the record in its"
        " answer does not show it: a rule of the system, a locked field or a missing permission undid it."
        " The hub does not take it for done. The write waits for a person, and is tried again whenever"
        " the contact is decided with something new.",
        "See in the system who or what changes that field. Then `trueup failures retry CAUSE`. Until it"
        " shows, nobody should mail from that system to the contacts that `trueup failures` names.",
    ),
    "TU-CON-061": Explanation(
        "A consent was taken and does not show yet",
        "The system said that it took an opt-out (or a documented opt-in), and shows writes late. The hub"
        " reads the record when that time is over: then the write is done, or waits for a person with"
        " TU-CON-060.",
        "Nothing, except `trueup sync`. It resolves itself as soon as the system can be read.",
    ),
    "TU-REF-001": Explanation(
        "A system does not take a value as it is",
        "A rule of that system refused it: a required field, a format, a list of allowed words, a"
        " validation rule. Where it names the field, only that field is set aside and the rest of the"
        " record goes out.",
        "`trueup failures` shows the cause and how many it concerns. Correct the value, the mapping"
        " (`values:`, `transform:`, `default:`), or the rule in that system; a changed value is tried by"
        " itself, the same one with `trueup failures retry CAUSE`.",
    ),
    "TU-REF-002": Explanation(
        "A rule written by that system's administrator refused it",
        "A validation rule, a duplicate rule or an automation in the account stopped the write. The"
        " sentence comes from whoever wrote the rule.",
        "Ask the administrator of that system, or map the fields that the rule wants. Then `trueup"
        " failures retry CAUSE`.",
    ),
    "TU-REF-010": Explanation(
        "That kind of write is not possible there",
        "The object cannot be created, changed, switched off or merged through this connector, or the"
        " connection names no values for it (`deactivate:`).",
        "Take the instruction out of the connection's file, or name the values. `trueup connections show"
        " NAME` prints what is mapped.",
    ),
    "TU-REF-011": Explanation(
        "That value is taken already",
        "A field that must be unique there (an e-mail address, a code) belongs to another record of that"
        " system. Where the system names that record, it is linked in place of creating one; else the"
        " write waits.",
        "Two records there are probably one person. Look at both (`trueup why CONTACT`), then merge them"
        " there, or correct the value in one.",
    ),
    "TU-REF-020": Explanation(
        "A table or column is not there",
        "The connection names a table, view or column that the database does not have, or not for this user,"
        " or a column that is not in a file's header. Nothing of it was read: without that column everybody"
        " would count as having no value there, or as somebody new.",
        "Correct the name in the connection's file, put the column back, or grant the right. `trueup"
        " connections fields NAME` lists what there is.",
    ),
    "TU-VAL-001": Explanation(
        "A value cannot be understood",
        "What the system holds has no form that the contact's field can take (a date that is none, a"
        " number with letters). The field is set aside with this reason; the other fields of the record"
        " count. The value there is not touched.",
        "Correct it in that system, or say how it is to be read (`transform:`). It is looked at again"
        " when it changes.",
    ),
    "TU-VAL-002": Explanation(
        "A value is too long",
        "It is longer than the field it should go to can keep.",
        "Shorten it, make the field longer there, or say `too_long: truncate` for that field in the mapping.",
    ),
    "TU-VAL-003": Explanation(
        "A word is not in the list",
        "The field takes one of certain words, and this is none of them: not in the value map of the"
        " connection, or not in the system's own list.",
        "Add it to `values:` of that field, or to the list in that system; or say `unmapped: pass`,"
        " `default` or `leave`. `trueup check --live` compares all words with the systems' lists.",
    ),
    "TU-VAL-010": Explanation(
        "Two sides change a field in turn",
        "The same record said the same value against the same value of the hub for the fourth time in a"
        " month, and each time the other side, or the hub's own write, had put the other one back: two"
        " automations, or an automation and a rule of the configuration, undo each other. The field is set"
        " aside at that record: nothing is written to it there and what is said there does not count. All"
        " other fields, and this field in the other systems, go on. Both sides are named, with the rules by"
        " which their edits won or lost.",
        "Decide which side is right, and switch the other automation off (or change `authority` or `refused`"
        " for that field). Then `trueup failures retry CAUSE`. A third value on either side releases it too.",
    ),
    "TU-VAL-004": Explanation(
        "The field cannot be written there",
        "The system computes this field, or the account may not edit it.",
        "Say `direction: in` for that field, or give the account the right to edit it.",
    ),
}

_HUB = {
    "TU-DEL-010": Explanation(
        "Given up by a person",
        "Somebody discarded this pending write: the system stays as it is, and the difference is not"
        " raised again until one side changes. Opt-outs cannot be given up.",
        "Nothing. An edit on either side is decided and written as usual.",
    ),
    "TU-ID-409": Explanation(
        "The record belongs to another contact",
        "The system answered a create with `this exists already`, and that record is linked to another"
        " contact here. Nothing was joined by itself: they may be two people with one address.",
        "Look at both contacts with `trueup why CONTACT`. If they are one person, merge their records in"
        " that system; the hub follows. If not, correct the address that they share, then `trueup"
        " failures retry CAUSE`.",
    ),
    "TU-RUN-010": Explanation(
        "Another process took over",
        "This process did not renew its ownership in time (it stood still, or the machine slept), and"
        " another one works on. Nothing that it had decided since was stored.",
        "`trueup runs` shows the other run. Start again when it has ended, if need be.",
    ),
    "TU-RUN-011": Explanation(
        "Another run is at work",
        "Two runs never work on one hub at once: this one ended before it did anything.",
        "Wait until it has ended (`trueup runs`). A run whose process died on this machine is taken over"
        " at once, one that died elsewhere three minutes after its last sign of progress.",
    ),
    "TU-RUN-020": Explanation(
        "The run waits for a person",
        "A fuse tripped (more creates, replacements, clearings, deletions than one run may do), or nobody"
        " has allowed the first writing to a system. What was decided is stored and not sent.",
        "`trueup runs show RUN` says what waits; `trueup runs approve RUN` lets it go, `trueup runs"
        " reject RUN` drops it. For a first contact: look at `trueup plan`, then `trueup sync"
        " --approve-first`.",
    ),
    "TU-RUN-030": Explanation(
        "The saved plan is outdated",
        "More of it would be written differently now than `drift_limit` in hub.yaml allows. Nothing was"
        " written.",
        "Make a new plan (`trueup plan --out FILE`), look at it, and apply that one.",
    ),
    "TU-RUN-031": Explanation(
        "The configuration is not the one of the plan",
        "The files were changed after the plan was saved, so it says nothing about them. Nothing was"
        " written.",
        "Make a new plan (`trueup plan --out FILE`), look at it, and apply that one.",
    ),
    "TU-STO-010": Explanation(
        "The hub's database is busy",
        "Another process held it longer than we wait. What was under way is undone as a whole; nothing is"
        " half stored.",
        "Run again. If it lasts: another run may be at work (`trueup runs`), or the disk is full or slow.",
    ),
    "TU-STO-011": Explanation(
        "The hub's database cannot be reached",
        "The server named by `database:` in hub.yaml does not answer, or refuses this user.",
        "Check the address and the credentials, and that the server runs. Nothing was read from or"
        " written to any system.",
    ),
    "TU-STO-020": Explanation(
        "The hub's database refuses",
        "The database answered with an error that is not known to pass: a damaged or read-only file, a"
        " full disk, a schema of another version.",
        "The log named in the message says where in the code it was, without personal values. Check the"
        " disk and the rights of the file; restore the last backup if the file is damaged.",
    ),
    "TU-GEN-001": Explanation(
        "Something did not work",
        "An error without a kind of its own; its message says all there is.",
        "Read the message; if it does not help, report it with the log.",
    ),
    "TU-GEN-404": Explanation(
        "There is no such name",
        "What was typed names no contact, connection, run, file or code.",
        "The message says which command lists those that there are.",
    ),
    "TU-GEN-405": Explanation(
        "Several contacts match",
        "An address or a record's id can belong to more than one contact; nothing is guessed.",
        "Name the contact by its id (`c-17`), as the message lists them.",
    ),
    "TU-GEN-406": Explanation(
        "There is no such field",
        "No contact has a field of this name. Fields of the systems have other names than the contact's own.",
        "`trueup config fields` lists the contact's fields; `contact.custom_fields` in hub.yaml adds one.",
    ),
    "TU-GEN-500": Explanation(
        "A fault of trueup itself",
        "Something happened that the program does not expect. What was not stored is undone; what was"
        " stored stands, and the next run goes on from there. The log holds places in the code and kinds"
        " of errors, no values.",
        "Run again. If it happens again, report it with the log that the message names; `--debug` shows"
        " it at once.",
    ),
}

_COMMANDS = {
    "TU-CLI-001": Explanation(
        "Nobody was there to say yes",
        "The command asks before it does this, and it was not started from a terminal.",
        "Say `--yes` if you mean it.",
    ),
    "TU-CLI-002": Explanation(
        "The arguments do not go together",
        "What was asked for makes no sense as it stands; nothing was done.",
        "The message says what to leave out or to add; `--help` lists the options.",
    ),
    "TU-CLI-003": Explanation(
        "There is nothing to decide",
        "The run holds nothing back: it was approved, rejected, or never held.",
        "`trueup runs` lists runs with their outcome.",
    ),
    "TU-CLI-004": Explanation(
        "Nobody understands these words",
        "A command or an option that there is not, or a value that it does not take; nothing was done.",
        "`--help` after the command lists what it takes.",
    ),
    "TU-BFL-001": Explanation(
        "A back-fill that cannot be",
        "`--backfill CONN.FIELD=push` writes the contacts' values where they differ, `=pull` takes the"
        " system's values into the contacts. What the mapping only reads cannot be pushed, what it only"
        " writes cannot be pulled, and consent is never back-filled.",
        "`trueup connections show NAME` lists the fields with their directions.",
    ),
    "TU-CLI-020": Explanation(
        "A file cannot be read or written",
        "The operating system refused: a missing folder, missing rights, a full disk.",
        "The message names the file. Check that it exists and that you may use it.",
    ),
    "TU-CLI-021": Explanation(
        "A file of somebody else stands there",
        "A plan or a table was to be written to a path that holds another file, perhaps one of your systems.",
        "Nothing was written. Name a path that is free, or one that an earlier plan was written to.",
    ),
    "TU-CLI-030": Explanation(
        "No sandbox is running",
        "`--sandbox` works with the stand-ins that `trueup sandbox` starts for the same folder.",
        "Start `trueup sandbox` in another terminal and leave it open, then try again.",
    ),
    "TU-CNN-001": Explanation(
        "The connection cannot be renamed or removed so",
        "Its file is not where it should be for this; nothing was changed.",
        "To rename: keep one file, under the old or the new name. To remove: delete the file first.",
    ),
    "TU-EDT-001": Explanation(
        "The value does not fit the field",
        "An edit was typed that the field cannot take, or the field is computed and cannot be edited.",
        "`trueup config fields WORD` shows the field's type and words. Quote values with blanks:"
        " 'job_title=Head of sales'.",
    ),
    "TU-FAI-010": Explanation(
        "A field that is set aside is not retried by hand",
        "Only one field of the record was refused; the others went out. The same value would be refused"
        " again.",
        "Change the value, the mapping, or the field in that system: then it is tried by itself with the"
        " next sync.",
    ),
    "TU-FAI-404": Explanation(
        "There is no such failure",
        "No cause and no pending write is called so; it may have been settled meanwhile.",
        "`trueup failures` lists the causes with their names.",
    ),
    "TU-INI-001": Explanation(
        "There is a hub already",
        "The folder holds configuration files; `init` never writes over them.",
        "Name another folder, or edit the files: `trueup check` tells what is wrong with them.",
    ),
    "TU-INI-002": Explanation(
        "A table cannot be used as it is",
        "There is no such file (or system, or role), it cannot be read as a table, or none of its columns"
        " could be recognised.",
        "The message says why. A table needs a first line with the names of the columns.",
    ),
    "TU-INI-003": Explanation(
        "No country of telephone numbers",
        "`--region` is the country of numbers that carry no country code: two capital letters (ISO 3166).",
        "Write a code such as UA, DE, GB or US. Nothing was written.",
    ),
}

_CONFIGURATION = {
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
        "Correct the name (`trueup connections fields NAME WORD` searches) or give the account the right"
        " to see it."
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


def _from_configuration() -> Mapping[str, Explanation]:
    return {
        code.value: Explanation(
            _title(text), text, _REMEDIES.get(code.value, "The message says what to write.")
        )
        for code, text in EXPLANATIONS.items()
    }


def _title(text: str) -> str:
    """The first sentence, without its stop."""
    return text.split(". ")[0].rstrip(".")


CODES: Mapping[str, Explanation] = {
    **_SYSTEMS,
    **_HUB,
    **_COMMANDS,
    **_CONFIGURATION,
    **_from_configuration(),
}
"""Every code that a message can carry."""
