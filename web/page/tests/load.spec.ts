import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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
  // Chromium supports SIMD and therefore loads the SIMD engine.
  const engine = statSync(
    new URL("../src/engine/wasm/simd/receptive_web_bg.wasm", import.meta.url),
  );
  expect(all).toContain(engine.size);
});

/** MIME types that a browser requires of a host. */
const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};

test("every view works under any path and requests no file outside of it", async ({ page }) => {
  const requested: string[] = [];
  const host = createServer((request, response) => {
    const path = request.url ?? "";
    requested.push(path);
    const [, file] = /^\/some\/where\/([^?]*)$/.exec(path) ?? [];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const name = file || "index.html";
    const type = TYPES[name.replace(/.*\./, "")] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type }).end(readFileSync(new URL(name, DIST)));
  });
  await new Promise<void>((resolve) => host.listen(0, resolve));
  const { port } = host.address() as AddressInfo;
  await page.goto(`http://localhost:${port}/some/where/`);
  await expect(page.locator(".winner")).toHaveText("3");
  await page.getByRole("link", { name: "Photo" }).click();
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await page.getByRole("link", { name: "Convolution" }).click();
  await expect(page.locator(".formula .result")).toHaveText("4");
  await page.getByRole("link", { name: "Networks" }).click();
  await page.getByRole("link", { name: "lenet5", exact: true }).click();
  const drawing = page.getByRole("img", { name: /Diagram of lenet5/ });
  await expect
    .poll(() => drawing.evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(0);
  expect(requested.length).toBeGreaterThan(12);
  expect(requested.filter((path) => !path.startsWith("/some/where/"))).toEqual([]);
  host.close();
});

test("an error of the page fails a test", async ({ page }) => {
  test.fail();
  await page.goto("#/convolution");
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error("an error of the page");
    });
  });
  await page.waitForTimeout(100);
});

test("a request to another host fails a test", async ({ page }) => {
  test.fail();
  await page.route("https://elsewhere.example/**", (route) => route.fulfill({ body: "" }));
  await page.goto("#/convolution");
  await page.evaluate(() => fetch("https://elsewhere.example/", { mode: "no-cors" }));
});
