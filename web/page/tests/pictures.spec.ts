import { expect, PARTS, test } from "./page";

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
        await page.goto(`#/${part}`);
        if (part === "digit") {
          await expect(page.locator(".winner")).toHaveText("3");
          await page.getByRole("button", { name: "Digit 3:" }).click();
          await expect(page.locator(".explanation p.value")).toHaveCount(1);
          await page.evaluate(() => scrollTo(0, 0));
        }
        if (part === "photo") {
          await page.locator(".pictures button").first().click();
          await expect(page.locator(".stages canvas")).toBeVisible();
          await page.evaluate(() => scrollTo(0, 0));
        }
        if (part === "convolution") await expect(page.locator(".comparison")).toBeVisible();
        if (part.startsWith("networks")) await expect(page.locator("table").last()).toBeVisible();
        await page.evaluate(() => document.fonts.ready);
        await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
        await expect(page).toHaveScreenshot(`${part.replace("/", "-")}-${name}.png`, {
          mask: [page.locator(".time")],
        });
      });
    }
  });
}
