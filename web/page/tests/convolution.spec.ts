import type { Page } from "@playwright/test";
import { example, taps } from "../src/convolution/example";
import type { Operation, SeparableSettings, WindowSettings } from "../src/engine/protocol";
import { damage } from "./fault";
import { expect, parseNumber, test } from "./page";

const START: WindowSettings = { input: 7, kernel: 3, stride: 2, padding: 1, dilation: 1 };
const NAMES = Object.keys(START) as (keyof WindowSettings)[];

/** Returns the output size, or undefined if no window fits. */
function size({ input, kernel, stride, padding, dilation }: WindowSettings): number | undefined {
  const slack = input + 2 * padding - dilation * (kernel - 1) - 1;
  return slack < 0 ? undefined : Math.floor(slack / stride) + 1;
}

/** Asserts that the page shows the output size, or an error if the settings are invalid. */
async function expectSize(page: Page, settings: WindowSettings, operation: Operation) {
  const expected = size(settings);
  const pool = operation !== "convolution";
  const fits = !pool || settings.padding <= Math.floor(settings.kernel / 2);
  const result = page.locator(".formula .result");
  const problem = page.locator(".settings .problem").first();
  if (expected !== undefined && fits) {
    await expect(result).toHaveText(String(expected));
    await expect(page.getByText(`Position 1 of ${expected * expected}`)).toBeVisible();
    await expect(problem).toHaveCount(0);
  } else {
    await expect(problem).toContainText(fits ? "does not fit" : "at most half of its kernel");
    await expect(result).toHaveCount(0);
    await expect(page.locator(".sliding")).toHaveCount(0);
  }
}

for (const [operation, label] of [
  ["convolution", "Convolution"],
  ["maxPool", "Max pooling"],
  ["averagePool", "Average pooling"],
] as const) {
  test(`every window slider works at both ends: ${operation}`, async ({ page }) => {
    await page.goto("#/convolution");
    await page.getByRole("radio", { name: label }).check();
    for (const name of NAMES) {
      const slider = page.locator(`#${name}`);
      if (name === "dilation" && operation !== "convolution") {
        await expect(slider).toBeDisabled();
        continue;
      }
      for (const [key, end] of [
        ["Home", "min"],
        ["End", "max"],
      ] as const) {
        await slider.press(key);
        const value = await slider.getAttribute(end);
        await expect(slider).toHaveValue(value ?? "");
        await expectSize(page, { ...START, [name]: Number(value) }, operation);
      }
      await slider.fill(String(START[name]));
      await expectSize(page, START, operation);
    }
  });
}

test("every slider of the comparison works at both ends", async ({ page }) => {
  await page.goto("#/convolution");
  const start: SeparableSettings = { channelsIn: 64, channelsOut: 128, kernel: 3, size: 56 };
  await expect(page.locator(".slider input[type=range]")).toHaveCount(
    NAMES.length + Object.keys(start).length,
  );
  for (const name of Object.keys(start) as (keyof SeparableSettings)[]) {
    const slider = page.locator(`#separable-${name}`);
    for (const [key, end] of [
      ["Home", "min"],
      ["End", "max"],
    ] as const) {
      await slider.press(key);
      const value = Number(await slider.getAttribute(end));
      await expect(slider).toHaveValue(String(value));
      const moved: SeparableSettings = { ...start, [name]: value };
      const { channelsIn: m, channelsOut: n, kernel: k, size: side } = moved;
      const standard = page.locator(".comparison tbody tr").first().locator("data");
      await expect(standard).toHaveText([
        (m * n * k * k).toLocaleString("en"),
        (m * n * k * k * side * side).toLocaleString("en"),
      ]);
      await expect(page.locator(".ratio data")).toHaveText((1 / n + 1 / (k * k)).toFixed(4));
    }
    await slider.fill(String(start[name]));
  }
});

test("invalid settings show an error", async ({ page }) => {
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

test("the formula shows the output size", async ({ page }) => {
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
    await expectSize(page, settings, "convolution");
  }
});

/** Returns the values in the window at a position, each with its weight, without the padding. */
function windowValues(operation: Operation, settings: WindowSettings, position: number) {
  const { picture, weights } = example(operation, settings);
  const { input, padding } = settings;
  return taps(settings, size(settings) ?? 0, position).flatMap(({ row, column }, tap) => {
    const [y, x] = [row - padding, column - padding];
    const inside = y >= 0 && x >= 0 && y < input && x < input;
    return inside ? [{ value: picture[y * input + x] ?? 9, weight: weights[tap] ?? 9 }] : [];
  });
}

const numbers = async (page: Page, selector: string) =>
  (await page.locator(`.output-value ${selector}`).allTextContents()).map(parseNumber);

test("each output value is the sum of its products", async ({ page }) => {
  await page.goto("#/convolution");
  for (let position = 0; position < 16; position++) {
    const heading = `Output value at row ${Math.floor(position / 4) + 1}, column ${(position % 4) + 1}`;
    await expect(page.locator(".output-value h3")).toHaveText(heading);
    const expected = windowValues("convolution", START, position).reduce(
      (sum, { value, weight }) => sum + value * weight,
      0,
    );
    await expect
      .poll(async () => Math.abs(((await numbers(page, ".sum"))[0] ?? 9) - expected))
      .toBeLessThan(1e-4);
    await page.getByRole("button", { name: "Step" }).click();
  }
  await page.getByText("All products").click();
  await expect(page.locator(".output-value .product")).toHaveCount(9);
});

for (const [operation, label] of [
  ["maxPool", "Max pooling"],
  ["averagePool", "Average pooling"],
] as const) {
  test(`${operation} shows the values of each window`, async ({ page }) => {
    await page.goto("#/convolution");
    await page.getByRole("radio", { name: label }).check();
    for (let position = 0; position < 16; position++) {
      const values = windowValues(operation, START, position).map(({ value }) => value);
      const shown = () => numbers(page, ".pooled");
      // The window excludes the padding: four values at a corner, six at an edge.
      await expect.poll(async () => (await shown()).length).toBe(values.length);
      await expect
        .poll(async () =>
          Math.max(...(await shown()).map((value, at) => Math.abs(value - (values[at] ?? 9)))),
        )
        .toBeLessThan(1e-4);
      const [found] = await numbers(page, ".result data");
      if (operation === "maxPool") {
        const marked = await numbers(page, ".marked data");
        expect(marked).toEqual([Math.max(...(await shown()))]);
        expect(found).toBe(marked[0]);
      } else {
        const mean = values.reduce((sum, value) => sum + value) / values.length;
        expect(Math.abs((found ?? 9) - mean)).toBeLessThan(1e-4);
        await expect(page.locator(".output-value dt").last()).toHaveText(`sum / ${values.length}`);
      }
      await page.getByRole("button", { name: "Step" }).click();
    }
  });
}

test("an engine that panics shows the message and restarts", async ({ page, problems }) => {
  await page.goto("#/convolution");
  await expect(page.locator(".output-value .sum")).toBeVisible();
  // The network has two layers: the input and the convolution.
  await damage(page, { of: "Explorer", method: "explain", how: 2 });
  await page.getByRole("button", { name: "Step" }).click();
  const alert = page.locator(".output-value").getByRole("alert");
  await expect(alert).toContainText("has been restarted");
  await expect(alert).toContainText(/panicked at .*rs:\d+:\d+/);
  // The panic is also logged to the console, some time later.
  await expect.poll(() => problems.splice(0).join()).toContain("panicked");
  await page.getByRole("button", { name: "Step" }).click();
  await expect(alert).toBeEmpty();
  const expected = windowValues("convolution", START, 2).reduce(
    (sum, { value, weight }) => sum + value * weight,
    0,
  );
  await expect
    .poll(async () => Math.abs(((await numbers(page, ".sum"))[0] ?? 9) - expected))
    .toBeLessThan(1e-4);
});

test("the window plays, pauses and steps", async ({ page }) => {
  await page.goto("#/convolution");
  const position = page.getByText(/Position \d+ of 16/);
  // With reduced motion the animation does not start on its own.
  await expect(position).toHaveText("Position 1 of 16");
  await page.getByRole("button", { name: "Step" }).click();
  await expect(position).toHaveText("Position 2 of 16");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Back" }).click();
  await expect(position).toHaveText("Position 16 of 16");
  await page.getByRole("button", { name: "Play" }).click();
  await expect(position).not.toHaveText("Position 16 of 16");
  await page.getByRole("button", { name: "Pause" }).click();
});

test("the separable convolution costs 1/N + 1/k² of the standard one", async ({ page }) => {
  await page.goto("#/convolution");
  await page.locator("#separable-channelsOut").fill("256");
  await page.locator("#separable-kernel").fill("5");
  const ratio = page.locator(".ratio data");
  await expect(ratio).toHaveText((1 / 256 + 1 / 25).toFixed(4));
  const [standard, separable] = [0, 1].map((row) =>
    page.locator(".comparison tbody tr").nth(row).locator("data").last().textContent(),
  );
  const quotient = parseNumber((await separable) ?? null) / parseNumber((await standard) ?? null);
  expect(Math.abs(quotient - parseNumber(await ratio.textContent()))).toBeLessThan(1e-4);
});
