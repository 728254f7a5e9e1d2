"""`make screenshots`: takes docs/screenshots of the demo in Chromium, in two widths and both themes."""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from demo import demo_user
from demo.files import JUVENILES

_CHECKOUT = Path(__file__).resolve().parent.parent
_FOLDER = _CHECKOUT / "docs" / "screenshots"
_WIDTHS = {1280: 900, 400: 860}
_TO_WEBP = """async ([picture, quality]) => {
    const image = new Image();
    image.src = "data:image/png;base64," + picture;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    const file = await canvas.convertToBlob({type: "image/webp", quality});
    const bytes = new Uint8Array(await file.arrayBuffer());
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


def take_all() -> None:
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "serve_demo", "--prepare"], cwd=_CHECKOUT, check=True)  # noqa: S603  # a command of this checkout
    _FOLDER.mkdir(exist_ok=True)
    with _server(manage) as address, sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        for width in _WIDTHS:
            for theme in ("light", "dark"):
                _take_pages(browser, address, width, theme)
        browser.close()


def _take_pages(browser: Browser, address: str, width: int, theme: str) -> None:
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": _WIDTHS[width]},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    page.goto("/admin/login/?next=/admin/seeder/monitoring/")
    page.fill("#id_username", demo_user.NAME)
    page.fill("#id_password", demo_user.PASSWORD)
    page.click("[type=submit]")
    _save_screenshot(page, "monitoring", width, theme)
    page.locator(".night.latest a").first.click()
    page.locator("figure svg").first.wait_for()
    _save_screenshot(page, "run", width, theme)
    page.goto("/admin/seeder/monitoring/?show=failing")
    page.locator("table.run-grid tbody th a").first.click()
    page.locator("figure svg").first.wait_for()
    _save_screenshot(page, "view", width, theme)
    page.goto("/admin/seeder/monitoring/?q=precinct_concentration")
    page.locator("table.run-grid tbody th a").first.click()
    page.click("#compare")
    _save_screenshot(page, "drift", width, theme)
    _take_load_pages(page, width, theme)
    context.close()


def _take_load_pages(page: Page, width: int, theme: str) -> None:
    """Take the lists of the loading lane, and the page of a load with rejects and views."""
    page.goto("/admin/data_pipeline/loadlog/")
    _save_screenshot(page, "loads", width, theme)
    load = page.locator("#result_list tr", has_text=f"damaged_{JUVENILES.name}").locator("th a")
    load_id = load.inner_text()
    load.click()
    _save_screenshot(page, "load", width, theme, full_page=True)
    page.goto(f"/admin/data_pipeline/loadreject/?load={load_id}")
    _save_screenshot(page, "rejects", width, theme)
    page.goto("/admin/data_pipeline/loaddeadletter/")
    _save_screenshot(page, "dead-letters", width, theme)


def _save_screenshot(page: Page, name: str, width: int, theme: str, *, full_page: bool = False) -> None:
    """Save a screenshot as WebP, converted by the browser: a third of the size."""
    page.wait_for_load_state("networkidle")
    picture = base64.b64encode(page.screenshot(full_page=full_page)).decode()
    small = page.evaluate(_TO_WEBP, [picture, 0.8])
    (_FOLDER / f"{name}-{width}-{theme}.webp").write_bytes(base64.b64decode(small))


@contextmanager
def _server(manage: list[str]) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [*manage, "runserver", "--noreload", address]
    process = subprocess.Popen(command, cwd=_CHECKOUT, stderr=subprocess.DEVNULL)  # noqa: S603  # a command of this checkout
    try:
        while process.poll() is None and not _answers(f"http://{address}/admin/login/"):
            pass
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):  # noqa: S310  # a local server
            return True
    except URLError:
        return False


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.local")
    take_all()
