import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Page } from "@playwright/test";
import { damage } from "./fault";
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

test("an engine that traps says so, and its photo's maps come from the next", async ({ page }) => {
  await page.goto("#/photo");
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  await expect(page.locator(".stages canvas")).toBeVisible();
  const stage = page.getByLabel("Stage");
  const last = (await stage.locator("option").count()) - 1;
  const picture = () =>
    page.locator(".stages canvas").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  await stage.selectOption({ index: last });
  await expect(page.locator(".stages canvas")).toHaveAttribute("aria-label", /1280/);
  const sound = await picture();
  await stage.selectOption({ index: 0 });
  const problem = page.getByRole("alert");
  for (const method of ["stage", "classify"] as const) {
    await damage(page, { of: "Classifier", method, how: "everything" });
    if (method === "stage") await stage.selectOption({ index: 1 });
    else await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
    await expect(problem).toContainText("was started anew");
    await expect(problem).toContainText("memory access out of bounds");
    // The photo and its maps are still there, and the new engine's maps are of this photo too.
    await expect(page.locator(".labels .best .name")).toHaveText("espresso");
    await stage.selectOption({ index: last });
    await expect.poll(picture).toBe(sound);
  }
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await expect(page.locator(".labels .best .name")).toContainText("cat");
  await expect(problem).toBeEmpty();
});

/** The sample of coffee, written anew: as it is, or a quarter turn to the left, as a camera on its side does. */
async function coffee(page: Page, aside: boolean): Promise<Buffer> {
  const encoded = await page.evaluate(async (aside) => {
    const photo = await createImageBitmap(await (await fetch("photos/coffee.png")).blob());
    const { width, height } = photo;
    const sheet = aside ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
    const context = sheet.getContext("2d");
    if (aside) {
      context?.translate(0, width);
      context?.rotate(-Math.PI / 2);
    }
    context?.drawImage(photo, 0, 0);
    const blob = await sheet.convertToBlob({ type: "image/jpeg", quality: 1 });
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
  }, aside);
  return Buffer.from(encoded);
}

/** EXIF that says: turn me a quarter to the right. */
const EXIF = Buffer.from(
  "\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
  "latin1",
);

test("a photo that was taken on its side is seen upright", async ({ page }) => {
  await page.goto("#/photo");
  const best = page.locator(".labels .best");
  const picture = page.locator(".verdict > img");
  const aside = await coffee(page, true);
  const photos = {
    upright: await coffee(page, false),
    turned: Buffer.concat([aside.subarray(0, 2), EXIF, aside.subarray(2)]),
    aside,
  };
  const shown: { label: string | null; share: number; wide: boolean }[] = [];
  for (const [name, buffer] of Object.entries(photos)) {
    const file = { name: `${name}.jpg`, mimeType: "image/jpeg", buffer };
    await page.locator("input[type=file]").setInputFiles(file);
    await expect(picture).toHaveAttribute("alt", `${name}.jpg`);
    await picture.evaluate((image: HTMLImageElement) => image.decode());
    shown.push({
      label: await best.locator(".name").textContent(),
      share: Number(await best.locator("data").getAttribute("value")),
      wide: await picture.evaluate(
        (image: HTMLImageElement) => image.naturalWidth > image.naturalHeight,
      ),
    });
  }
  const [upright, turned, lying] = shown;
  // The loss of JPEG is another on its side.
  expect(Math.abs((turned?.share ?? 9) - (upright?.share ?? 9))).toBeLessThan(0.01);
  expect(turned).toEqual({ ...upright, share: turned?.share });
  expect([turned?.wide, lying?.wide]).toEqual([true, false]);
  // Else the test would say nothing.
  expect(Math.abs((lying?.share ?? 9) - (upright?.share ?? 9))).toBeGreaterThan(0.05);
});
