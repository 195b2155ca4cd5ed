"""Keep gaps, known questions and calibrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from core.db import Json
from core.db import UtcDateTime

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('faq_calibrations',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('slope', sa.Double(), nullable=False),
    sa.Column('intercept', sa.Double(), nullable=False),
    sa.Column('answer', sa.Double(), nullable=False),
    sa.Column('menu', sa.Double(), nullable=False),
    sa.Column('by_category', Json, nullable=False),
    sa.Column('target', sa.Double(), nullable=False),
    sa.Column('labels', Json, nullable=False),
    sa.Column('report', Json, nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('scorer', sa.String(length=64), nullable=False),
    sa.Column('by', sa.String(length=64), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_faq_calibrations'))
    )
    with op.batch_alter_table('faq_calibrations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_faq_calibrations_created_at'), ['created_at'], unique=False)

    op.create_table('knowledge_gap_questions',
    sa.Column('decision_id', sa.String(length=32), nullable=False),
    sa.Column('gap_id', sa.String(length=32), nullable=True),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('session_id', sa.String(length=32), nullable=True),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('decision_id', name=op.f('pk_knowledge_gap_questions'))
    )
    with op.batch_alter_table('knowledge_gap_questions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_knowledge_gap_questions_gap_id'), ['gap_id'], unique=False)

    op.create_table('knowledge_gaps',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('best_answer', sa.Text(), nullable=False),
    sa.Column('best_session_id', sa.String(length=32), nullable=True),
    sa.Column('owner_id', sa.String(length=32), nullable=True),
    sa.Column('due_at', UtcDateTime(), nullable=True),
    sa.Column('article_id', sa.String(length=32), nullable=True),
    sa.Column('absorbed', sa.Integer(), nullable=False),
    sa.Column('first_asked_at', UtcDateTime(), nullable=False),
    sa.Column('last_asked_at', UtcDateTime(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_gaps'))
    )
    with op.batch_alter_table('knowledge_gaps', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_knowledge_gaps_article_id'), ['article_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_knowledge_gaps_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index('ix_knowledge_gaps_state_size', ['state', 'size'], unique=False)

    op.create_table('known_questions',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('question', sa.String(length=500), nullable=False),
    sa.Column('article_id', sa.String(length=32), nullable=True),
    sa.Column('origin', sa.String(length=16), nullable=False),
    sa.Column('by', sa.String(length=64), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_known_questions')),
    sa.UniqueConstraint('question', name=op.f('uq_known_questions_question'))
    )
    with op.batch_alter_table('known_questions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_known_questions_article_id'), ['article_id'], unique=False)
