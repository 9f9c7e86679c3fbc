import { expect, read, test } from "./page";

test("every slider goes to its ends", async ({ page }) => {
  await page.goto("#/convolution");
  await expect(page.locator(".formula .result")).toHaveText("4");
  const sliders = page.locator(".slider input[type=range]");
  const count = await sliders.count();
  expect(count).toBe(9);
  for (let index = 0; index < count; index++) {
    const slider = sliders.nth(index);
    const before = await slider.inputValue();
    for (const key of ["Home", "End"]) {
      await slider.press(key);
      const end = await slider.getAttribute(key === "Home" ? "min" : "max");
      await expect(slider).toHaveValue(end ?? "");
      // Either an answer or the reason why there is none.
      await expect(
        page.locator(".formula .result").or(page.locator(".settings .problem").first()),
      ).toBeVisible();
      await expect(page.locator(".ratio data")).toBeVisible();
    }
    await slider.fill(before);
  }
});

test("settings that do not fit are explained", async ({ page }) => {
  await page.goto("#/convolution");
  await page.locator("#input").fill("2");
  await page.locator("#kernel").fill("7");
  await page.locator("#padding").fill("0");
  await expect(page.getByRole("alert").filter({ hasText: /7/ })).toBeVisible();
  await expect(page.locator(".formula .result")).toHaveCount(0);
  await expect(page.locator(".sliding")).toHaveCount(0);
  await page.locator("#padding").fill("4");
  await expect(page.locator(".formula .result")).toHaveText(/\d/);
  await expect(page.locator(".settings .problem")).toHaveCount(0);
});

test("the formula's numbers give its result", async ({ page }) => {
  await page.goto("#/convolution");
  for (const [input, kernel, stride, padding, dilation] of [
    [16, 3, 2, 1, 1],
    [9, 3, 1, 2, 2],
    [12, 5, 3, 0, 1],
  ] as const) {
    const settings = { input, kernel, stride, padding, dilation };
    for (const [name, value] of Object.entries(settings)) {
      await page.locator(`#${name}`).fill(String(value));
    }
    const size = Math.floor((input + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
    await expect(page.locator(".formula .result")).toHaveText(String(size));
    await expect(page.getByText(`Stop 1 of ${size * size}`)).toBeVisible();
  }
});

test("the window plays, stops and steps", async ({ page }) => {
  await page.goto("#/convolution");
  const position = page.getByText(/Stop \d+ of 16/);
  // Reduced motion: nothing moves by itself.
  await expect(position).toHaveText("Stop 1 of 16");
  await page.getByRole("button", { name: "Step" }).click();
  await expect(position).toHaveText("Stop 2 of 16");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Back" }).click();
  await expect(position).toHaveText("Stop 16 of 16");
  await page.getByRole("button", { name: "Play" }).click();
  await expect(position).not.toHaveText("Stop 16 of 16");
  await page.getByRole("button", { name: "Pause" }).click();
});

test("separating costs 1/N + 1/k² of the standard convolution", async ({ page }) => {
  await page.goto("#/convolution");
  await page.locator("#separable-channelsOut").fill("256");
  await page.locator("#separable-kernel").fill("5");
  const ratio = page.locator(".ratio data");
  await expect(ratio).toHaveText((1 / 256 + 1 / 25).toFixed(4));
  const [standard, separable] = [0, 1].map((row) =>
    page.locator(".comparison tbody tr").nth(row).locator("data").last().textContent(),
  );
  const quotient = read((await separable) ?? null) / read((await standard) ?? null);
  expect(Math.abs(quotient - read(await ratio.textContent()))).toBeLessThan(1e-4);
});
