"""One process that calls WeCom: ``python -m config.bench.variants.token``.

It says ``ready``; for each line that it is sent it makes one call in the name of the default app, and says ``done``.
"""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    from wecom.client import for_config
    from wecom.configs import default_config

    config = default_config()
    if config is None:
        raise SystemExit("the settings name no WeCom app")
    print("ready", flush=True)
    for _line in sys.stdin:
        for_config(config).get("getcallbackip")
        print("done", flush=True)


if __name__ == "__main__":
    main()
