"""Keeping the directory in line with WeCom: everything is fetched first, then one transaction applies it.

``runs`` opens, claims and closes runs. ``parts`` lists what a run of each type consists of. A part fetches
(``fetch``: calls with patience), compares by hash while it reads (``diff``), is held by the ``brake``, and writes with
set statements (``apply``). ``progress`` is what others see of it meanwhile.
"""
