"""Documents hold only what a system said; what is remembered beside it gets rows of its own.

Most links are settled and have nothing beside, and a decision touches only what is beside: so it need
not rewrite the (long) document.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_8b444077"
down_revision = "0001_66f53843"
branch_labels = None
depends_on = None

BESIDE = ("base", "agreed", "assumed", "quarantine", "published")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "link_notes",
        sa.Column("link_id", ID, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in BESIDE),
        sa.Column("look_at", ID, nullable=True),
        sa.PrimaryKeyConstraint("link_id", name="pk_link_notes"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_link_notes_link_id"),
    )
    some = sa.text("look_at is not null")
    op.create_index(
        "ix_link_notes_look_at", "link_notes", ["look_at"], sqlite_where=some, postgresql_where=some
    )
    columns = ", ".join(BESIDE)
    noted = " or ".join(f"{name} is not null" for name in BESIDE)
    op.execute(
        f"insert into link_notes (link_id, {columns}) select link_id, {columns} from link_docs where {noted}"
    )
    for name in BESIDE:
        op.drop_column("link_docs", name)


def downgrade() -> None:
    for name in BESIDE:
        op.add_column("link_docs", sa.Column(name, sa.Text(), nullable=True))
    sets = ", ".join(
        f"{name} = (select n.{name} from link_notes n where n.link_id = link_docs.link_id)" for name in BESIDE
    )
    op.execute(f"update link_docs set {sets} where link_id in (select link_id from link_notes)")
    op.drop_table("link_notes")
