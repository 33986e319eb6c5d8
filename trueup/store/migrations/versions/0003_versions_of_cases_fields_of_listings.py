"""When a version of a case was made, and what a listing under way is read for.

Versions of a case were told apart by when it happens, which may move to an earlier day. And a listing that
was broken off went on with fields that were mapped since, and counted as read for them from the beginning.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_111e2cc7"
down_revision = "0002_8b444077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cases", sa.Column("changed_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.add_column("streams", sa.Column("listing_fields", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("streams", "listing_fields")
    op.drop_column("cases", "changed_at")
