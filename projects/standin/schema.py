"""The tables of the project library's stand-in."""

from __future__ import annotations

from config.standin import faults

# body: the project as it is answered, ready to be sent; the other columns are for searching
SCHEMA = f"""
{faults.SCHEMA}
CREATE TABLE IF NOT EXISTS projects (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    customer_name TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS projects_by_type ON projects (type, place);
"""
