import { expect, openFull, test, VIEWS } from "./page";

// Desktop screenshots use the light theme and phone screenshots the dark one: two per view instead of four.
const SCREENS = [
  { name: "desktop", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "phone", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
] as const;

for (const { name, viewport, colorScheme } of SCREENS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    for (const view of VIEWS) {
      test(`${view} matches its screenshot`, async ({ page }) => {
        await openFull(page, view);
        await page.evaluate(() => scrollTo(0, 0));
        await page.evaluate(() => document.fonts.ready);
        await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
        await expect(page).toHaveScreenshot(`${view.replace("/", "-")}-${name}.png`, {
          stylePath: new URL("pictures.css", import.meta.url).pathname,
        });
      });
    }
  });
}
