"""Screenshots of the page for people to look at: `python -m test.browser.pictures FOLDER`.

At three widths, light and dark: the page in daily use (the README shows two of these), and a comparison of two models.
"""

import argparse
import itertools
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from test.browser.conftest import CHROMIUM, post, rescore, send
from test.service import Service

REVIEWS = [
    "The photography is breathtaking, but the story never finds its feet.",
    "My daughter laughed from the first minute to the last. So did I, and I am fifty.",
    "A sequel that nobody needed, made by people who did not want to make it.",
    "Slow? Yes. But it earns every one of its hundred and forty minutes.",
    "I walked out after an hour, and I have never walked out of a film before.",
    "Not bad at all, and better than its trailer.",
    "The dog is the best actor in it. The dog is in it for two scenes.",
    "Quietly devastating. I have thought about the last shot every day since.",
    "Explosions, a car, more explosions, the end.",
    "An honest, warm and very funny film about getting old.",
    "The dialogue sounds as if it had been translated twice and proof-read by nobody.",
    "She is magnificent; the script is not, and in the end the script wins.",
    "It has no ending. It just stops, like somebody switched it off.",
    "Exactly what I wanted on a rainy Sunday: charming, light, over in ninety minutes.",
    "Pretentious nonsense from a director who used to know better.",
    "Every frame could hang in a museum, and the music would fill a cathedral.",
    "I did not believe a single word that any of these people said.",
    "A thriller that thrills. They are rarer than you would think.",
    "Two stars fall in love, because the poster says so.",
    "The best film about work since I started working.",
    "Dull, long, loud, and pleased with itself.",
    "I cried on the bus home, and I would go again tomorrow.",
    "The book was better. The audiobook was better. The blurb was better.",
    "A small masterpiece, made with no money and a great deal of love.",
    "It is the third film of the series and runs for two hours.",
    "Has anyone seen this with subtitles?",
    "Ein wunderbarer Film über das Altwerden, warm und sehr komisch.",
    "The first half is brilliant, the second half is a waste of time.",
]

NEW = "model@another00000"


def main() -> None:
    """Start a service, fill it, and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    service = Service(Path(tempfile.mkdtemp(prefix="sentiments-pictures-")))
    service.start()
    try:
        records = [post(service, sentence) for sentence in REVIEWS]
        for record in records[:12]:
            sentiment = "negative" if record["id"] % 5 == 0 else record["sentiment"]
            send(service, "PUT", f"/sentiments/{record['id']}/correction", {"sentiment": sentiment})
        take(service, folder, "page", f"/?review={records[0]['id']}")
        for index, record in enumerate(records):
            score = record["sentiment_score"] * (0.9 - index / 15)
            rescore(service, record["id"], score, NEW, p_neutral=0.8 * (1 - abs(score)))
        versions = f"old={records[0]['model_version']}&new={NEW}"
        take(service, folder, "versions", f"/?review={records[-1]['id']}&{versions}", height=2800)
    finally:
        service.stop()


def take(service: Service, folder: Path, name: str, address: str, height: int = 1400) -> None:
    """Save `NAME-WIDTH-SCHEME.png`, the top of the page at three widths, light and dark."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in itertools.product((320, 768, 1280), ("light", "dark")):
            context = browser.new_context(
                base_url=service.address, viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(address)
            page.locator("mark").first.wait_for()
            page.locator("#summary[aria-busy=false] svg").first.wait_for()
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
