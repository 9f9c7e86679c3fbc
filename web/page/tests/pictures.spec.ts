import { expect, openFull, PARTS, test } from "./page";

// Colours come light on the desktop and dark on the phone, so that four pictures a part are two.
const SCREENS = [
  { name: "desktop", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "phone", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
] as const;

for (const { name, viewport, colorScheme } of SCREENS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    for (const part of PARTS) {
      test(`${part} looks as it did`, async ({ page }) => {
        await openFull(page, part);
        await page.evaluate(() => scrollTo(0, 0));
        await page.evaluate(() => document.fonts.ready);
        await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
        await expect(page).toHaveScreenshot(`${part.replace("/", "-")}-${name}.png`, {
          stylePath: new URL("pictures.css", import.meta.url).pathname,
        });
      });
    }
  });
}
