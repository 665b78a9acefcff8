"""The tables of the WeCom stand-in."""

from __future__ import annotations

from config.standin import faults

SCHEMA = f"""
{faults.SCHEMA}CREATE TABLE IF NOT EXISTS approvals (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    sp_no TEXT UNIQUE,
    third_no TEXT NOT NULL DEFAULT '',
    template_id TEXT NOT NULL,
    name TEXT NOT NULL,
    creator TEXT NOT NULL,
    department INTEGER NOT NULL,
    status INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    changed_at REAL NOT NULL,
    quiet INTEGER NOT NULL DEFAULT 0,
    doc TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS approvals_by_time ON approvals (kind, applied_at, id);
CREATE INDEX IF NOT EXISTS approvals_by_status ON approvals (kind, status, applied_at, id);
CREATE UNIQUE INDEX IF NOT EXISTS engine_numbers ON approvals (third_no) WHERE kind = 'engine';
CREATE TABLE IF NOT EXISTS form_texts (approval_id INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS form_texts_by_text ON form_texts (text);
CREATE TABLE IF NOT EXISTS people (
    userid TEXT NOT NULL,
    part TEXT NOT NULL,
    approval_id INTEGER NOT NULL,
    PRIMARY KEY (userid, part, approval_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS people_by_approval ON people (approval_id);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    origin INTEGER NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    agent TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    http_status INTEGER,
    error TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    finished_at REAL
);
CREATE INDEX IF NOT EXISTS events_by_state ON events (state, due_at, id);
CREATE INDEX IF NOT EXISTS events_by_subject ON events (subject, state);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    msgid TEXT NOT NULL,
    userid TEXT NOT NULL,
    msgtype TEXT NOT NULL,
    content TEXT NOT NULL,
    sent_at REAL NOT NULL,
    dropped INTEGER NOT NULL,
    updated TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS messages_by_member ON messages (userid, sent_at);
CREATE INDEX IF NOT EXISTS messages_by_msgid ON messages (msgid);
CREATE TABLE IF NOT EXISTS send_requests (digest TEXT NOT NULL, answer TEXT NOT NULL, sent_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS send_requests_by_digest ON send_requests (digest, sent_at);
CREATE TABLE IF NOT EXISTS cards (
    response_code TEXT PRIMARY KEY,
    msgid TEXT NOT NULL,
    task_id TEXT NOT NULL,
    issued_at REAL NOT NULL,
    used_at REAL
);
CREATE INDEX IF NOT EXISTS cards_by_task ON cards (task_id);
CREATE INDEX IF NOT EXISTS cards_by_msgid ON cards (msgid, task_id);
CREATE TABLE IF NOT EXISTS recalled (msgid TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS replaced (message_id INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, expires_at REAL NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tickets (kind TEXT PRIMARY KEY, ticket TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS login_codes (
    code TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    issued_at REAL NOT NULL,
    used_at REAL
);
CREATE TABLE IF NOT EXISTS staff (userid TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS customers (external_userid TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS follows (
    external_userid TEXT NOT NULL,
    userid TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (external_userid, userid)
);
CREATE INDEX IF NOT EXISTS follows_by_member ON follows (userid);
CREATE TABLE IF NOT EXISTS tag_groups (group_id TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unlicensed (userid TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS answers (
    endpoint TEXT NOT NULL,
    errcode INTEGER NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (endpoint, errcode)
);
CREATE TABLE IF NOT EXISTS sequences (day TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""

# Not emptied by a reset: a number handed out twice would meet its older namesake in the product's database.
KEPT_ON_RESET = frozenset({"sequences"})
