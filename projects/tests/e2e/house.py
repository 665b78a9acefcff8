"""A house with a project library and a WeCom next door, and one person who may do everything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from knox.models import AuthToken

from config.testing.clients import RestClient
from config.testing.database import Database
from config.testing.house import House as BaseHouse
from config.testing.processes import wait_until
from notifications.models import Notification
from projects import tokens
from projects.models import ProjectCache, ProjectSyncConfig, ProjectSyncHistory, RemoteSource, Role
from projects.tests.library import KEY, Library
from wecom.tests.phone import Phone

SECRET = "canary-corp-secret-9Wb4nRy"
AES_KEY = "CanaryAesKey2027mVx9LbN4cJpYf6HsGd1UeAo3iE0"
PROJECTS = 60
PAGE = 10
SYNC = "projects: sync"


class House(BaseHouse):
    """``library``: the stand-in, sixty projects in pages of ten. ``staff``: REST with all rights."""

    def __init__(self, directory: Path, database: Database) -> None:
        super().__init__(directory, database)
        self.library = Library(self.stack.library(key=KEY, projects=PROJECTS).url)
        self.phone: Phone
        self.issued: list[str] = []
        with database.opened():
            user = User.objects.create(username="staff", is_staff=True, is_superuser=True)
            self.staff = RestClient(self.url, AuthToken.objects.create(user)[1])
            RemoteSource.objects.create(
                slug="default",
                name="项目库",
                base_url=self.library.url,
                api_key=KEY,
                page_size=PAGE,
            )
            self.set(notify_channels=[])

    def start_wecom(self) -> None:
        """Before web and worker."""
        self.stack.environment |= {
            "WECOM_CORP_ID": "wwe2e0123456789cd",
            "WECOM_AGENT_ID": "1000042",
            "WECOM_SECRET": SECRET,
            "WECOM_CALLBACK_TOKEN": "CanaryCallbackToken2027",
            "WECOM_ENCODING_AES_KEY": AES_KEY,
        }
        self.phone = Phone(self.stack.standin(callback_url=f"{self.url}/wecom/callback").url)

    def set(self, **settings: Any) -> None:
        """Synchronisation settings, in an opened database."""
        ProjectSyncConfig.load()
        ProjectSyncConfig.objects.update(**settings)

    def sync(self, **body: Any) -> dict[str, Any]:
        """One run to its end over REST; its entry in the history."""
        answer = self.staff.post("projects/sync", **body)
        assert answer.status_code in (200, 502), answer.text
        return self.history()[0]

    def history(self) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self.staff.read("projects/sync-history")["history"])

    def read(self, project_id: str, **query: Any) -> dict[str, Any]:
        return dict(self.staff.read(f"projects/{project_id}", **query))

    def runs(self, **having: Any) -> int:
        with self.database.opened():
            return ProjectSyncHistory.objects.filter(**having).count()

    def notices(self, **having: Any) -> int:
        with self.database.opened():
            return Notification.objects.filter(**having).count()

    def copies(self) -> dict[str, str]:
        """Status of every project in the mirror."""
        with self.database.opened():
            return dict(ProjectCache.objects.listed().values_list("remote_id", "status"))

    def originals(self) -> dict[str, str]:
        """Status of every project in the library."""
        return {row["id"]: row["status"] for row in self.library.get("projects", limit=1000)["projects"]}

    def link(self, project_id: str, *, left: timedelta = timedelta(days=7)) -> str:
        """A customer's token that is valid for another ``left``, at most a week."""
        with self.database.opened(), time_machine.travel(timezone.now() - timedelta(days=7) + left, tick=True):
            project = ProjectCache.objects.get(remote_id=project_id)
            token = tokens.issue(project, user_id="C1", user_name="张磊", access_type=Role.CUSTOMER, days=7).token
        self.issued.append(token)
        return token

    def await_notices(self, count: int, timeout: float = 20.0, **having: Any) -> None:
        wait_until(lambda: self.notices(**having) >= count, timeout, f"{count} notices with {having}", interval=0.1)

    def heal(self) -> None:
        """Nothing is broken on purpose any more, and library and mirror are as on the first day."""
        self.phone.heal()
        self.library.post("reset", count=PROJECTS)
        with self.database.opened():
            self.set(notify_channels=[])
        assert self.sync(force=True)["status"] == "success"

    def secrets(self) -> dict[str, str]:
        links = {f"link {place}": token for place, token in enumerate(self.issued)}
        own = {"corp secret": SECRET, "EncodingAESKey": AES_KEY, "library key": KEY, "API token": self.staff.token}
        return {**super().secrets(), **own, **links}
