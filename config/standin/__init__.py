"""What the stand-ins of other people's servers share: a socket, a SQLite file, fault switches, a test interface.

A stand-in (``wecom.standin``, ``projects.standin``) is a program of its own; the product imports none of this.
"""
