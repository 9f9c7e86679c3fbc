import { statSync } from "node:fs";
import type { Page } from "@playwright/test";
import native from "./native.json" with { type: "json" };
import { expect, openDigit, probabilities, test, withoutSimd } from "./page";

/** Largest difference of a probability between the browser and the native engine. */
const TOLERANCE = 1e-4;

async function digits(page: Page): Promise<void> {
  await openDigit(page);
  for (const [digit, expected] of native.digits.entries()) {
    await page.getByRole("button", { name: `Sample digit ${digit}` }).click();
    await expect(page.locator(".winner")).toHaveText(String(digit));
    const found = await probabilities(page);
    const difference = Math.max(
      ...found.map((probability, at) => Math.abs(probability - (expected[at] ?? 9))),
    );
    expect(difference).toBeLessThan(TOLERANCE);
  }
}

async function photos(page: Page): Promise<void> {
  await page.goto("#/photo");
  for (const { name, top } of native.photos) {
    await page.getByRole("button", { name: `Sample photo: ${name}` }).click();
    await expect(page.locator(".verdict > img")).toHaveAttribute("alt", new RegExp(name));
    const labels = await page.locator(".labels .name").allTextContents();
    const found = await page
      .locator(".labels data")
      .evaluateAll((all) => all.map((one) => Number((one as HTMLDataElement).value)));
    expect(labels).toEqual(top.map(({ label }) => label));
    for (const [rank, { probability }] of top.entries()) {
      expect(Math.abs((found[rank] ?? 9) - probability)).toBeLessThan(TOLERANCE);
    }
  }
}

for (const simd of [true, false]) {
  for (const check of [digits, photos]) {
    const build = simd ? "simd" : "scalar";
    test(`${check.name}: probabilities match the native engine, ${build} build`, async ({
      page,
    }) => {
      if (!simd) await withoutSimd(page);
      const engines: number[] = [];
      page.on("response", async (response) => {
        if (response.url().endsWith(".wasm")) engines.push((await response.body()).length);
      });
      await check(page);
      const file = new URL(`../src/engine/wasm/${build}/receptive_web_bg.wasm`, import.meta.url);
      expect(engines).toEqual([statSync(file).size]);
    });
  }
}
