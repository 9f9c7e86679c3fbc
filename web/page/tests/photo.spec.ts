import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Page } from "@playwright/test";
import { damage } from "./fault";
import { expect, test } from "./page";

const COFFEE = new URL("../../../assets/photos/coffee.png", import.meta.url);

test("a dropped photo is classified", async ({ page }) => {
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
  await expect(page.getByText(/Inference time: \d/)).toBeVisible();
});

test("the first photo downloads the weights", async ({ page }) => {
  let requests = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/mobilenet_v2-f16.safetensors", async (route) => {
    requests++;
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  await page.goto("#/photo");
  await expect(page.getByRole("button", { name: "Choose a photo" })).toBeVisible();
  expect(requests).toBe(0);
  await page.locator("input[type=file]").setInputFiles(COFFEE.pathname);
  await expect.poll(() => requests).toBe(1);
  release();
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await expect(page.locator(".labels .best .name")).toContainText("cat");
  expect(requests).toBe(1);
});

/** Returns the header of a PNG file of 32768x32768 pixels, without any data. */
function hugePng(): Buffer {
  const header = Buffer.from("IHDR\0\0\x80\0\0\0\x80\0\x08\x02\0\0\0", "latin1");
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(header.length - 4);
  sum.writeUInt32BE(crc32(header));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), length, header, sum]);
}

test("an invalid image shows an error, and the next photo is classified", async ({ page }) => {
  await page.goto("#/photo");
  const file = page.locator("input[type=file]");
  const problem = page.getByRole("alert").locator(".problem");
  const invalid = [Buffer.from("no"), readFileSync(COFFEE).subarray(0, 3000), hugePng()];
  for (const buffer of invalid) {
    await file.setInputFiles({ name: "a.png", mimeType: "image/png", buffer });
    await expect(problem).toHaveText(/\w/);
    await file.setInputFiles(COFFEE.pathname);
    await expect(page.locator(".labels .best .name")).toHaveText("espresso");
    await expect(problem).toHaveCount(0);
  }
});

test("every stage shows its feature maps", async ({ page }) => {
  await page.goto("#/photo");
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  const stage = page.getByLabel("Stage");
  await expect(stage).toBeVisible();
  const count = await stage.locator("option").count();
  expect(count).toBeGreaterThan(5);
  for (let index = 0; index < count; index++) {
    await stage.selectOption({ index });
    const colourCount = () =>
      page.locator(".stages canvas").evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas
          .getContext("2d")
          ?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
        return new Set(new Uint32Array(Uint8Array.from(data).buffer)).size;
      });
    await expect.poll(colourCount).toBeGreaterThan(20);
  }
});

test("a crashed engine restarts with its network", async ({ page }) => {
  await page.goto("#/photo");
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await page.workers()[0]?.evaluate(() => {
    setTimeout(() => {
      throw new Error("crash for a test");
    });
  });
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await expect(page.locator(".labels .best .name")).toContainText("cat");
});

test("an engine that traps shows the error, restarts and restores the feature maps", async ({
  page,
}) => {
  await page.goto("#/photo");
  await page.getByRole("button", { name: "Sample photo: coffee" }).click();
  await expect(page.locator(".stages canvas")).toBeVisible();
  const stage = page.getByLabel("Stage");
  const last = (await stage.locator("option").count()) - 1;
  const picture = () =>
    page.locator(".stages canvas").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  await stage.selectOption({ index: last });
  await expect(page.locator(".stages canvas")).toHaveAttribute("aria-label", /1280/);
  const expected = await picture();
  await stage.selectOption({ index: 0 });
  const problem = page.getByRole("alert");
  for (const method of ["stage", "classify"] as const) {
    await damage(page, { of: "Classifier", method, how: "address" });
    if (method === "stage") await stage.selectOption({ index: 1 });
    else await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
    await expect(problem).toContainText("has been restarted");
    await expect(problem).toContainText("memory access out of bounds");
    // The page still shows the photo, and the restarted engine computes the same feature maps.
    await expect(page.locator(".labels .best .name")).toHaveText("espresso");
    await stage.selectOption({ index: last });
    await expect.poll(picture).toBe(expected);
  }
  await page.getByRole("button", { name: "Sample photo: chelsea" }).click();
  await expect(page.locator(".labels .best .name")).toContainText("cat");
  await expect(problem).toBeEmpty();
});

/** Returns the coffee sample as a JPEG file, upright or rotated by a quarter turn to the left. */
async function coffee(page: Page, rotate: boolean): Promise<Buffer> {
  const encoded = await page.evaluate(async (rotate) => {
    const photo = await createImageBitmap(await (await fetch("photos/coffee.png")).blob());
    const { width, height } = photo;
    const canvas = rotate ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (rotate) {
      context?.translate(0, width);
      context?.rotate(-Math.PI / 2);
    }
    context?.drawImage(photo, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 1 });
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
  }, rotate);
  return Buffer.from(encoded);
}

/** EXIF segment with orientation 6: rotate by a quarter turn to the right. */
const EXIF = Buffer.from(
  "\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
  "latin1",
);

test("the EXIF orientation of a photo is applied", async ({ page }) => {
  await page.goto("#/photo");
  const best = page.locator(".labels .best");
  const picture = page.locator(".verdict > img");
  const rotated = await coffee(page, true);
  const photos = {
    upright: await coffee(page, false),
    oriented: Buffer.concat([rotated.subarray(0, 2), EXIF, rotated.subarray(2)]),
    rotated,
  };
  const shown: { label: string | null; probability: number; wide: boolean }[] = [];
  for (const [name, buffer] of Object.entries(photos)) {
    const file = { name: `${name}.jpg`, mimeType: "image/jpeg", buffer };
    await page.locator("input[type=file]").setInputFiles(file);
    await expect(picture).toHaveAttribute("alt", `${name}.jpg`);
    await picture.evaluate((image: HTMLImageElement) => image.decode());
    shown.push({
      label: await best.locator(".name").textContent(),
      probability: Number(await best.locator("data").getAttribute("value")),
      wide: await picture.evaluate(
        (image: HTMLImageElement) => image.naturalWidth > image.naturalHeight,
      ),
    });
  }
  const [upright, oriented, rotatedOnly] = shown;
  // JPEG compression differs slightly between the orientations.
  expect(Math.abs((oriented?.probability ?? 9) - (upright?.probability ?? 9))).toBeLessThan(0.01);
  expect(oriented).toEqual({ ...upright, probability: oriented?.probability });
  expect([oriented?.wide, rotatedOnly?.wide]).toEqual([true, false]);
  // Without EXIF the probability must differ, or the test would prove nothing.
  expect(Math.abs((rotatedOnly?.probability ?? 9) - (upright?.probability ?? 9))).toBeGreaterThan(
    0.05,
  );
});
