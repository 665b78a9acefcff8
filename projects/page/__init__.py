"""The customer's page, ``/project/{id}``: what a link shows to the person it was made for.

It works without JavaScript, inside any webview, and says nothing to whoever has no link.
"""
