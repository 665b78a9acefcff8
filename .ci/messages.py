"""The message catalogues: ``collect`` new texts into them, ``check`` that they are complete and compiled.

A catalogue is complete when it holds exactly the texts of the sources, each translated, none marked fuzzy, and its
.mo says the same. English texts are their own translation, so ``collect`` fills that catalogue by itself.
"""

from __future__ import annotations

import gettext
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = ("zh_Hans", "en")
SHOWN = 15
"""Texts that are listed per complaint."""


def run(*command: str | Path, cwd: Path = ROOT, stdin: bytes | None = None) -> bytes:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, input=stdin, capture_output=True, check=False, env=environment
    )
    if result.returncode:
        sys.exit(f"messages: {command[0]} failed: {result.stderr.decode(errors='replace')}")
    return result.stdout


def collect_in(root: Path) -> None:
    """Django's makemessages over the tree at ``root``; leaves locale/django.pot behind. Needs no settings."""
    languages = [part for language in LANGUAGES for part in ("-l", language)]
    ignored = [part for pattern in (".venv", "var", "*/tests/*") for part in ("-i", pattern)]
    for language in LANGUAGES:
        (root / "locale" / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "django", "makemessages", *languages, *ignored]
    run(*command, "--keep-pot", "--no-location", "--no-wrap", cwd=root)


def texts(catalogue: bytes) -> dict[object, str]:
    """What a compiled catalogue says, by text (plural forms under text and number)."""
    with tempfile.TemporaryFile() as compiled:
        compiled.write(run("msgfmt", "-o", "-", "-", stdin=catalogue))
        compiled.seek(0)
        return loaded(compiled)


def loaded(file: object) -> dict[object, str]:
    catalog: dict[object, str] = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[arg-type, attr-defined]
    catalog.pop("", None)
    return catalog


def identities(catalog: dict[object, str]) -> set[str]:
    return {str(key[0] if isinstance(key, tuple) else key) for key in catalog}


def source_texts() -> set[str]:
    """The texts that the sources hold now, taken from a copy of the tree so that nothing here changes."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in run("git", "ls-files", "-co", "--exclude-standard").decode().splitlines():
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, copy / name)
        collect_in(copy)
        template = run("msgen", copy / "locale" / "django.pot")
        return identities(texts(template.replace(b"nplurals=INTEGER; plural=EXPRESSION", b"nplurals=2; plural=n != 1")))


def complaints(language: str, wanted: set[str]) -> list[str]:
    """What is wrong with one catalogue; empty when it is complete."""
    po = LOCALE / language / "LC_MESSAGES" / "django.po"
    mo = po.with_suffix(".mo")
    if not po.is_file():
        return [f"{po.relative_to(ROOT)} does not exist"]
    run("msgfmt", "--check-format", "-o", os.devnull, po)
    translated = texts(run("msgattrib", "--translated", "--no-fuzzy", "--no-obsolete", po))
    everything = identities(texts(run("msgen", po)))
    found = [
        *listed("not translated", wanted - identities(translated)),
        *listed("not in the sources any more", everything - wanted),
    ]
    if run("msgattrib", "--only-obsolete", po).strip():
        found.append("holds obsolete entries (#~)")
    if not mo.is_file():
        return [*found, "is not compiled"]
    with mo.open("rb") as compiled:
        if loaded(compiled) != translated:
            found.append("was changed after it was compiled (manage.py compilemessages)")
    return found


def listed(what: str, names: set[str]) -> list[str]:
    if not names:
        return []
    examples = [repr(name.replace("\x04", ": ")[:70]) for name in sorted(names)[:SHOWN]]
    return [f"{len(names)} {what}: {', '.join(examples)}{' …' if len(names) > SHOWN else ''}"]


def check() -> None:
    wanted = source_texts()
    wrong = [f"{language}: {complaint}" for language in LANGUAGES for complaint in complaints(language, wanted)]
    for line in wrong:
        print(f"messages: {line}")
    if wrong:
        sys.exit(1)
    print(f"{len(wanted)} texts, complete in {' and '.join(LANGUAGES)}")


def collect() -> None:
    collect_in(ROOT)
    template = LOCALE / "django.pot"
    for language in LANGUAGES:
        po = LOCALE / language / "LC_MESSAGES" / "django.po"
        # makemessages guesses from texts that look alike; a new text stays empty instead
        po.write_bytes(run("msgattrib", "--no-obsolete", "--no-fuzzy", "--no-wrap", po))
        po.write_bytes(run("msgmerge", "--quiet", "--no-fuzzy-matching", "--no-wrap", po, template))
        if language == "en":
            po.write_bytes(run("msgen", "--no-wrap", "--lang=en", po))
        run("msgfmt", "-o", po.with_suffix(".mo"), po)
        print(f"{po.relative_to(ROOT)} collected")
    template.unlink()


if __name__ == "__main__":
    actions = {"check": check, "collect": collect}
    if sys.argv[1:2] and sys.argv[1] in actions:
        if not shutil.which("msgfmt"):
            sys.exit("messages: gettext is not installed (apt-get install gettext)")
        actions[sys.argv[1]]()
    else:
        sys.exit("usage: messages.py check|collect")
