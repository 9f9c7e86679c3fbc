import native from "./native.json" with { type: "json" };
import { expect, openDigit, probabilities, test } from "./page";

/** How far the browser may be from the native engine. */
const CLOSE = 1e-4;

test("digits are as probable as the native engine finds them", async ({ page }) => {
  await openDigit(page);
  for (const [digit, expected] of native.digits.entries()) {
    await page.getByRole("button", { name: `Sample of the digit ${digit}` }).click();
    await expect(page.locator(".winner")).toHaveText(String(digit));
    const found = await probabilities(page);
    const apart = Math.max(...found.map((share, at) => Math.abs(share - (expected[at] ?? 9))));
    expect(apart).toBeLessThan(CLOSE);
  }
});

test("photos are as probable as the native engine finds them", async ({ page }) => {
  await page.goto("#/photo");
  for (const { name, top } of native.photos) {
    await page.getByRole("button", { name: `Sample photo: ${name}` }).click();
    await expect(page.locator(".verdict > img")).toHaveAttribute("alt", new RegExp(name));
    const labels = await page.locator(".labels .name").allTextContents();
    const shares = await page
      .locator(".labels data")
      .evaluateAll((all) => all.map((one) => Number((one as HTMLDataElement).value)));
    expect(labels).toEqual(top.map(({ label }) => label));
    for (const [place, { probability }] of top.entries()) {
      expect(Math.abs((shares[place] ?? 9) - probability)).toBeLessThan(CLOSE);
    }
  }
});
