"""``make bench``: the promised numbers, measured. ``docs/benchmarks.md`` says how, and what came out.

Each scenario starts the real processes it needs (web server, Celery, PostgreSQL, Valkey, the WeCom stand-in), measures
and ends them. Compared variants are up at once and take turns; bars are ratios, because the machine is noisy.
"""
