"""No middleware."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "config.bench.variants.bare"
MIDDLEWARE = []
