"""Single changes of the directory and of customers, as callbacks tell of them (docs 90970-90972, 92130).

A callback is a hint: its order is not guaranteed, and newer receivers are told IDs only. So ``events`` applies at once
what cannot be misread (somebody has gone, an ID is another now, the fields that came along), and marks the thing as
due; ``refreshes`` then reads it from WeCom by the very code of a full run, so that any order of callbacks ends where
the next run would.

Only an app whose directory has been read before is listened to: single changes of a directory that nobody has read
would make a directory of a few.
"""
