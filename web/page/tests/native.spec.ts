import { statSync } from "node:fs";
import type { Page } from "@playwright/test";
import native from "./native.json" with { type: "json" };
import { expect, openDigit, probabilities, test, withoutVectors } from "./page";

/** How far the browser may be from the native engine. */
const CLOSE = 1e-4;

async function digits(page: Page): Promise<void> {
  await openDigit(page);
  for (const [digit, expected] of native.digits.entries()) {
    await page.getByRole("button", { name: `Sample of the digit ${digit}` }).click();
    await expect(page.locator(".winner")).toHaveText(String(digit));
    const found = await probabilities(page);
    const apart = Math.max(...found.map((share, at) => Math.abs(share - (expected[at] ?? 9))));
    expect(apart).toBeLessThan(CLOSE);
  }
}

async function photos(page: Page): Promise<void> {
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
}

for (const vectors of [true, false]) {
  for (const part of [digits, photos]) {
    const how = vectors ? "with vectors" : "without";
    test(`${part.name} are as probable as the native engine finds them, ${how}`, async ({
      page,
    }) => {
      if (!vectors) await withoutVectors(page);
      const engines: number[] = [];
      page.on("response", async (response) => {
        if (response.url().endsWith(".wasm")) engines.push((await response.body()).length);
      });
      await part(page);
      const build = vectors ? "simd" : "scalar";
      const file = new URL(`../src/engine/wasm/${build}/receptive_web_bg.wasm`, import.meta.url);
      expect(engines).toEqual([statSync(file).size]);
    });
  }
}
