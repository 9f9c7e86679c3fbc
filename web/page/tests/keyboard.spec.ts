import type { FileChooser, Locator, Page } from "@playwright/test";
import { expect, test } from "./page";

// Every view by keyboard: the tests neither use the mouse nor set the focus.

/** Presses Tab until `target` has the focus, and asserts that the focus is visible. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let press = 0; press < 120; press++) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) {
      expect(await target.evaluate((element) => element.matches(":focus-visible"))).toBe(true);
      return;
    }
  }
  throw new Error(`Tab does not reach ${target}`);
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

test("digit", async ({ page }) => {
  await page.goto("");
  await expect(page.locator(".winner")).toHaveText("3");
  await tabTo(page, page.getByRole("application", { name: "Drawing area" }));
  await press(page, "Delete", "Space", ...Array(15).fill("ArrowDown"), "Space");
  await expect(page.locator(".winner")).toHaveText("1");
  await expect(page.getByRole("status").filter({ hasText: "Digit 1" })).toHaveCount(1);
  await tabTo(page, page.getByRole("button", { name: "Sample digit 8" }));
  await press(page, "Enter");
  await expect(page.locator(".winner")).toHaveText("8");
  await tabTo(page, page.getByRole("button", { name: "Digit 8:" }));
  await press(page, "Space");
  const heading = page.locator(".explanation h3");
  await expect(heading).toHaveText("output, logit of digit 8");
  await tabTo(page, page.getByRole("application", { name: /^avgpool1, pooling, 6 feature maps/ }));
  await press(page, "ArrowRight", "ArrowDown", "ArrowDown", "PageDown");
  await expect(heading).toHaveText("avgpool1, channel 2, row 3, column 2");
  await expect(page.getByRole("status").filter({ hasText: "avgpool1, channel 2" })).toHaveCount(1);
  await tabTo(page, page.getByRole("button", { name: "Unpin" }));
  await press(page, "Enter");
  await expect(heading).toHaveCount(0);
});

test("photo", async ({ page }) => {
  // The listener must exist before the first file chooser opens.
  const choosers: FileChooser[] = [];
  page.on("filechooser", (chooser) => choosers.push(chooser));
  await page.goto("");
  await tabTo(page, page.getByRole("link", { name: "Photo" }));
  await press(page, "Enter");
  await tabTo(page, page.getByRole("button", { name: "Choose a photo" }));
  await press(page, "Enter");
  await expect.poll(() => choosers.length).toBe(1);
  await choosers[0]?.setFiles([]);
  await tabTo(page, page.getByRole("button", { name: "Sample photo: coffee" }));
  await press(page, "Enter");
  await expect(page.locator(".labels .best .name")).toHaveText("espresso");
  await expect(page.getByRole("status").filter({ hasText: "Inference time" })).toHaveCount(1);
  await tabTo(page, page.getByRole("combobox", { name: "Stage" }));
  await press(page, "ArrowDown");
  await expect(page.getByRole("img", { name: "Feature maps of bottleneck1" })).toBeVisible();
});

test("convolution", async ({ page }) => {
  await page.goto("");
  await tabTo(page, page.getByRole("link", { name: "Convolution" }));
  await press(page, "Enter");
  await expect(page.locator(".formula .result")).toHaveText("4");
  await tabTo(page, page.getByRole("radio", { name: "Convolution" }));
  await press(page, "ArrowDown");
  await expect(page.getByRole("radio", { name: "Max pooling" })).toBeChecked();
  await expect(page.locator(".output-value .pooled")).toHaveCount(4);
  await tabTo(page, page.getByRole("slider", { name: "Stride s" }));
  await press(page, "ArrowLeft");
  await expect(page.locator(".formula .result")).toHaveText("7");
  await tabTo(page, page.getByRole("spinbutton", { name: "Padding p" }));
  await press(page, "ArrowDown", "Enter");
  await expect(page.locator(".formula .result")).toHaveText("5");
  await tabTo(page, page.getByRole("button", { name: "Step" }));
  await press(page, "Enter");
  await expect(page.getByText("Position 2 of 25")).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "row 1, column 2" })).toHaveCount(1);
  await tabTo(page, page.getByRole("slider", { name: "Position 2 of 25" }));
  await press(page, "End");
  await expect(page.getByText("Position 25 of 25")).toBeVisible();
  await tabTo(page, page.getByRole("slider", { name: "Output channels N" }));
  await press(page, "Home");
  await expect(page.locator(".ratio data")).toHaveText((1 + 1 / 9).toFixed(4));
});

test("networks", async ({ page }) => {
  await page.goto("");
  await tabTo(page, page.getByRole("link", { name: "Networks" }));
  await press(page, "Enter");
  await tabTo(page, page.getByRole("button", { name: "Multiply-adds" }));
  await press(page, "Enter");
  await expect(page.locator("tbody th").first()).toHaveText(/^vgg19/);
  await tabTo(page, page.getByRole("link", { name: "vgg16", exact: true }));
  await press(page, "Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("vgg16");
  await expect(page.locator("main")).toBeFocused();
  await tabTo(page, page.getByRole("radio", { name: "Blocks" }));
  await press(page, "ArrowDown");
  await expect(page.getByRole("img", { name: "Diagram of vgg16: Operations" })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Parameters" }));
  await press(page, "Enter");
  await expect(page.locator(".sortable tbody th").first()).toHaveText("classifier.0");
});
