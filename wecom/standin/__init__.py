"""A WeCom of one's own: the API, the callbacks and a phone page, for the demo and the tests.

A separate program with its own process, port and SQLite file (``manage.py wecom_standin``). The product
never imports it; the two meet only over HTTP, as the product and the real WeCom do.
"""
