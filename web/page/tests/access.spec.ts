import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, openDigit, openFull, test, VIEWS } from "./page";

/** Returns the violations that axe finds: each rule with the elements that violate it. */
async function violations(page: Page): Promise<[string, string[]][]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}

for (const view of VIEWS) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const locale of ["en-US", "zh-CN"]) {
      test.describe(`${view}, ${colorScheme}, ${locale}`, () => {
        test.use({ colorScheme, locale });

        test("has no violations", async ({ page }) => {
          await openFull(page, view);
          expect(await violations(page)).toEqual([]);
        });
      });
    }
  }
}

test("language and theme follow the browser, can be switched and are remembered", async ({
  page,
}) => {
  await openDigit(page);
  const html = page.locator("html");
  await expect(html).toHaveAttribute("lang", "en");
  await expect(html).toHaveAttribute("data-theme", "light");
  await page.getByRole("button", { name: "中文" }).click();
  await expect(html).toHaveAttribute("lang", "zh-Hans");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("手写一个数字");
  await page.getByRole("button", { name: "深色主题" }).click();
  await expect(html).toHaveAttribute("data-theme", "dark");
  await page.reload();
  await expect(html).toHaveAttribute("data-theme", "dark");
  await expect(html).toHaveAttribute("lang", "zh-Hans");
});

test("views can be reached by keyboard", async ({ page }) => {
  await openDigit(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.getByRole("link", { name: "Convolution" }).press("Enter");
  await expect(page).toHaveURL(/#\/convolution$/);
  await expect(page.locator("main")).toBeFocused();
});

test.describe("at 360 pixels", () => {
  test.use({ viewport: { width: 360, height: 740 } });

  for (const view of VIEWS) {
    test(`${view} fits the width of the screen and has no violations`, async ({ page }) => {
      await openFull(page, view);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
      expect(await violations(page)).toEqual([]);
    });
  }
});
