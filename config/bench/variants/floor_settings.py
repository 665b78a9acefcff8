"""The same process set-up as the product, without middleware: what the server and Django cost by themselves."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES

ROOT_URLCONF = "config.bench.variants.floor"
MIDDLEWARE = []
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
