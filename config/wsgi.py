"""What the web server serves, see config.web."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from config.checks import check_at_start, refuse_to_start
from config.lanes import with_lanes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

refuse_to_start()
application = with_lanes(get_wsgi_application())
check_at_start()
