import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { expect, test } from "./page";

const COFFEE = new URL("../../../assets/photos/coffee.png", import.meta.url);

test("a dropped photo of coffee is espresso", async ({ page }) => {
  await page.goto("#/photo");
  const bytes = readFileSync(COFFEE).toString("base64");
  const transfer = await page.evaluateHandle(async (bytes) => {
    const transfer = new DataTransfer();
    const blob = await (await fetch(`data:image/png;base64,${bytes}`)).blob();
    transfer.items.add(new File([blob], "cup.png", { type: "image/png" }));
    return transfer;
  }, bytes);
  await page.locator(".drop").dispatchEvent("drop", { dataTransfer: transfer });
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await expect(page.locator(".labels li")).toHaveCount(5);
  await expect(page.getByText(/The network took \d/)).toBeVisible();
});

test("the weights come with the first photo, under a progress bar", async ({ page }) => {
  let asked = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/mobilenet_v2-f16.safetensors", async (route) => {
    asked++;
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  await page.goto("#/photo");
  await expect(page.getByRole("button", { name: "Choose a photo" })).toBeVisible();
  expect(asked).toBe(0);
  await page.locator("input[type=file]").setInputFiles(COFFEE.pathname);
  await expect.poll(() => asked).toBe(1);
  release();
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await expect(page.locator(".labels .best .name")).toContainText("cat");
  expect(asked).toBe(1);
});

/** The head of a PNG file of a thousand million pixels, and nothing after it. */
function immense(): Buffer {
  const head = Buffer.from("IHDR\0\0\x80\0\0\0\x80\0\x08\x02\0\0\0", "latin1");
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(head.length - 4);
  sum.writeUInt32BE(crc32(head));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), length, head, sum]);
}

test("a bad image says so, and the page goes on", async ({ page }) => {
  await page.goto("#/photo");
  const file = page.locator("input[type=file]");
  const problem = page.getByRole("alert").locator(".problem");
  const bad = [Buffer.from("no"), readFileSync(COFFEE).subarray(0, 3000), immense()];
  for (const buffer of bad) {
    await file.setInputFiles({ name: "a.png", mimeType: "image/png", buffer });
    await expect(problem).toHaveText(/\w/);
    await file.setInputFiles(COFFEE.pathname);
    await expect(page.locator(".labels .best .name")).toHaveText("espresso");
    await expect(problem).toHaveCount(0);
  }
});

test("every stage shows its maps", async ({ page }) => {
  await page.goto("#/photo");
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  const stage = page.getByLabel("Stage");
  await expect(stage).toBeVisible();
  const count = await stage.locator("option").count();
  expect(count).toBeGreaterThan(5);
  for (let index = 0; index < count; index++) {
    await stage.selectOption({ index });
    const painted = () =>
      page.locator(".stages canvas").evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas
          .getContext("2d")
          ?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
        return new Set(new Uint32Array(Uint8Array.from(data).buffer)).size;
      });
    await expect.poll(painted).toBeGreaterThan(20);
  }
});

test("a broken engine is made anew with its network", async ({ page }) => {
  await page.goto("#/photo");
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await page.workers()[0]?.evaluate(() => {
    setTimeout(() => {
      throw new Error("out of luck");
    });
  });
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await expect(page.locator(".labels .best .name")).toContainText("cat");
});
