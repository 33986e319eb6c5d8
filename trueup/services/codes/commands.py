"""What people type: commands, options, edits, tables."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.services.codes.explanation import Explanation

COMMANDS: Mapping[str, Explanation] = {
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
        "Its file is not where it should be for this, or the hub remembers the new name already;"
        " nothing was changed.",
        "To rename: keep one file, under the old or the new name, and choose a name that no plan or sync ran"
        " with. To remove: delete the file first.",
    ),
    "TU-EDT-001": Explanation(
        "The value does not fit the field",
        "An edit was typed that the field cannot take, or the field is computed and cannot be edited.",
        "`trueup config fields WORD` shows the field's type and words. Quote values with blanks:"
        " 'job_title=Head of sales'.",
    ),
    "TU-EDT-002": Explanation(
        "Only an opt-out can be entered by hand",
        "A consent was typed that is no opt-out. The strictest state holds: what somebody remembers can stop"
        " mail, and never start it again. Nothing was kept.",
        "An opt-out: `trueup contacts edit WHO consent.email.marketing=opted_out`. For an opt-in, enter it"
        " with its time and source in a system whose file says `opted_in_when`: it lifts older opt-outs.",
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
