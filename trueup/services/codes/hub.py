"""What happens in the hub itself: its contacts, its runs, its database."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.services.codes.explanation import Explanation

HUB: Mapping[str, Explanation] = {
    "TU-DEL-010": Explanation(
        "Given up by a person",
        "Somebody discarded this pending write: the system stays as it is, and the difference is not"
        " raised again until one side changes. Opt-outs cannot be given up.",
        "Nothing. An edit on either side is decided and written as usual.",
    ),
    "TU-DEL-011": Explanation(
        "Rejected by a person",
        "Somebody rejected what a run held back, this pending write with it: the system stays as it is, and"
        " the difference is not raised again until one side changes. `trueup why CONTACT` tells which fields"
        " differ, who rejected it and why.",
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
        " has allowed the first writing to a system: what was decided is stored and not sent. Or more"
        " records are missing from a complete listing than is believed to be deleted: nobody was treated as"
        " deleted.",
        "`trueup runs show RUN` says what waits; `trueup runs approve RUN` lets it go, `trueup runs"
        " reject RUN` drops it. For a first contact: look at `trueup plan`, then `trueup sync"
        " --approve-first`. Missing records that come back need nothing; if they were really deleted,"
        " `trueup runs approve RUN`: the next sync takes those for deleted that are missing still.",
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
        "The server named by `database:` in hub.yaml does not answer, or refuses this user; or a file"
        " of SQLite, or the folder that it lies in, may only be read: SQLite keeps a journal beside it, also"
        " for who only looks.",
        "Check the address and the credentials, and that the server runs; of a file, that this user may write"
        " to it and its folder, or look at a copy of both. Nothing was read from or"
        " written to any system.",
    ),
    "TU-STO-020": Explanation(
        "The hub's database refuses",
        "The database answered with an error that is not known to pass: a damaged or read-only file, a"
        " full disk, a schema of another version.",
        "The log named in the message says where in the code it was, without personal values. Check the"
        " disk and the rights of the file; restore the last backup if the file is damaged.",
    ),
    "TU-STO-021": Explanation(
        "The hub's database was made by another version",
        "Each step of the database's schema has a name with a fingerprint of what it makes. The database says"
        " a step that this version does not have: it was made by an earlier version whose schema was changed"
        " since, by a later one, or by another program. It was not touched.",
        "Open it with the version that made it. To go on with this one, move the file away or name another"
        " database in hub.yaml, and run `trueup plan`: records are read from the systems again. What only the"
        " hub knew (edits made here, approvals, releases, history, opt-outs that no system shows any more)"
        " stays in the old one, so keep it.",
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
        "An address, a record's id (of several systems) or a part of a name can be that of more than one"
        " contact; nothing is guessed. What is exactly so comes before parts of names.",
        "Name the contact by its id (`c-17`), as the message lists them, or a record: `crm/contacts/2325`.",
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
