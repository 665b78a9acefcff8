"""A remote project library of one's own: its API, a page to change projects, and faults, for demo, tests and benches.

A separate program with its own process, port and SQLite file (``manage.py projects_standin``). The product never
imports it; the two meet only over HTTP, as the product and a real library do.
"""
