"""A person with a phone: Chromium at the sizes of screens, what it complained about, and what its pages are like."""

from __future__ import annotations

from typing import Any

SIZES = {"phone": (390, 844), "small phone": (320, 568), "desk": (1280, 800)}


class BrowserOnPhone:
    """A browser of its own, with everything that it complained about in ``troubles``."""

    def __init__(self, browser: Any, **options: Any) -> None:
        width, height = SIZES["phone"]
        defaults = {"viewport": {"width": width, "height": height}, "timezone_id": "Asia/Shanghai"}
        self.context = browser.new_context(**defaults | options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.troubles: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))

    def _note(self, line: Any) -> None:
        """The browser also notes each answer of 4xx, which some pages are meant to give."""
        if line.type in ("error", "warning") and "the server responded with a status of" not in line.text:
            self.troubles.append(line.text)

    def press(self, name: str, role: str = "button") -> None:
        """Press what leads to another page, and wait for it."""
        with self.page.expect_navigation():
            self.page.get_by_role(role, name=name, exact=True).click()

    def resize(self, size: str) -> None:
        """``size``: a key of SIZES."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})

    @property
    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    @property
    def poor_contrast(self) -> list[str]:
        """Texts whose contrast is below 4.5 : 1 (WCAG AA)."""
        texts: list[str] = self.page.evaluate(_POOR_CONTRAST)
        return texts

    @property
    def small_targets(self) -> list[str]:
        """What can be pressed and is lower than a thumb needs (44 px)."""
        texts: list[str] = self.page.evaluate(_SMALL_TARGETS)
        return texts


_POOR_CONTRAST = """
() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.classList.contains("unseen")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(walker.currentNode.data.trim());
  }
  return poor;
}
"""

_SMALL_TARGETS = """
() => [...document.querySelectorAll("main a, main button, .bar a, .bar button, .choice, header a")]
  .filter(one => one.getBoundingClientRect().height < 44)
  .map(one => one.textContent.trim())
"""
