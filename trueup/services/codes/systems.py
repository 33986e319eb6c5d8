"""What systems do and do not do: sign-in, writes that fail, values that are not taken."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.services.codes.explanation import Explanation

SYSTEMS: Mapping[str, Explanation] = {
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
        " their own. What the hub itself allows per second or minute never ends a run: it waits within.",
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
    "TU-CON-021": Explanation(
        "A write without an answer has arrived",
        "No usable answer came back, but a reading since then showed what was written. It is done, and is not"
        " sent again, also where somebody has typed something else there by now: that is an edit.",
        "Nothing, except `trueup sync`.",
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
        " record goes out; a new record is not made without what tells who it is (e-mail, external id)."
        " A new record that is refused without a word on which field is looked for first where that system"
        " shows new records late: some make what they call bad. It is listed as a failure by the next run.",
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
        " system. Where the system names that record, or the hub knows just one that may be it, it is"
        " linked in place of creating one (TU-ID-409 if it is another contact's); else the write waits. No"
        " record is made without it; a record that is there gets its other values.",
        "Two records there are probably one person. Look at both (`trueup why CONTACT`), then merge them"
        " there, or correct the value in one.",
    ),
    "TU-REF-012": Explanation(
        "The account may not change that record",
        "The record is there and can be read, but the account that trueup signs in with has no right to"
        " change it: it belongs to somebody else, is locked, or its object is read-only for that account.",
        "Give that account the right to edit the record (its owner, its sharing, or the permissions of the"
        " object in that system). Then `trueup failures retry CAUSE`.",
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
    "TU-VAL-005": Explanation(
        "A file cannot hold that character",
        "The file is kept in an encoding that has not every character: windows-1251 has Ukrainian letters and"
        " no Polish `ł`. The field is set aside, the rest of the row is written. A new row is made without it"
        " where something else tells who it is: a name, an e-mail address or a number; else none is made.",
        "Save the file as UTF-8, in the program that keeps it too, and take `encoding:` out of the"
        " connection's file if it is there. The next sync then writes what was set aside.",
    ),
}
