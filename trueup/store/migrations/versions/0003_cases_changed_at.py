"""Of two versions of a case the later is the one that its system changed later.

They were told apart by when the case happens, which may move to an earlier day.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_04e1e3a6"
down_revision = "0002_8b444077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cases", sa.Column("changed_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("cases", "changed_at")
