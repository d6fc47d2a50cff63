"""What axe-core finds wrong with a page for who cannot see it, or has no mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "pages" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
    await Promise.allSettled(document.getAnimations().map((one) => one.finished)); // colours on their way
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
    const found = await axe.run(document, {runOnly: rules});
    const told = (one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)}`);
    return found.violations.flatMap(told);
}"""


def barriers(page: Page) -> list[str]:
    """Each rule that is broken, with the element; the page is asked as it stands."""
    if not page.evaluate("typeof axe === 'object'"):
        # require.js's `define` is none of its business
        page.evaluate(f"((define) => {{{AXE.read_text('utf-8')}}})()")
    return list(page.evaluate(_RUN))
