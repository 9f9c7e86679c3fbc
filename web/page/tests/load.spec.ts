import { statSync } from "node:fs";
import { expect, test } from "./page";

const DIST = new URL("../../dist/", import.meta.url);

test("the first load is under 5 MB", async ({ page }) => {
  const sizes = new Map<string, Promise<number>>();
  page.on("response", (response) => {
    sizes.set(
      response.url(),
      response.body().then((body) => body.length),
    );
  });
  await page.goto("");
  await expect(page.locator(".winner")).toHaveText("3");
  const all = await Promise.all(sizes.values());
  const total = all.reduce((sum, size) => sum + size, 0);
  console.log(`first load: ${(total / 1e6).toFixed(2)} MB in ${all.length} files, uncompressed`);
  expect(total).toBeLessThan(5e6);
  // Chromium has vectors, so it is that engine which came.
  const engine = statSync(
    new URL("../src/engine/wasm/simd/receptive_web_bg.wasm", import.meta.url),
  );
  expect(all).toContain(engine.size);
});

test("the page works under any path, and asks no other host", async ({ page }) => {
  const asked: string[] = [];
  await page.route("**", (route) => {
    const { hostname, pathname } = new URL(route.request().url());
    asked.push(`${hostname}${pathname}`);
    const file = pathname.replace(/^\/some\/where\//, "") || "index.html";
    return route.fulfill({ path: new URL(file, DIST).pathname });
  });
  await page.goto("http://any.host/some/where/#/digit");
  await expect(page.locator(".winner")).toHaveText("3");
  await page.goto("http://any.host/some/where/#/networks");
  await expect(page.locator("tbody tr").first()).toBeVisible();
  expect(asked.length).toBeGreaterThan(8);
  expect(asked.filter((address) => !address.startsWith("any.host/some/where/"))).toEqual([]);
});
