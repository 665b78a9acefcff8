"""The admin of projects, one module per subject; each registers its own."""

from projects.admin import access_log, cards, changes, links, projects, runs, settings_pages, sources

__all__ = ["access_log", "cards", "changes", "links", "projects", "runs", "settings_pages", "sources"]
