import { test as base, expect, type Page } from "@playwright/test";

/** A test that fails if the page logs an error, a request fails, or a request goes to another origin. */
export const test = base.extend<{ problems: string[] }>({
  problems: [
    async ({ page }, use) => {
      const problems: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text());
      });
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
      const origins = new Set<string>();
      page.on("request", (request) => {
        const { origin, protocol } = new URL(request.url());
        if (protocol.startsWith("http")) origins.add(origin);
      });
      page.on("response", (response) => {
        if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
      });
      await use(problems);
      expect(problems).toEqual([]);
      expect([...origins].slice(1)).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Addresses of the views, and of one network. */
export const VIEWS = ["digit", "photo", "convolution", "networks", "networks/lenet5"] as const;

/** Makes the worker load the scalar engine, as in a browser without SIMD. */
export async function withoutSimd(page: Page): Promise<void> {
  await page.route(/\/worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    const body = `WebAssembly.validate = () => false;\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
}

/** Parses a number as the page formats it. */
export function parseNumber(text: string | null): number {
  return Number((text ?? "").replaceAll("\u2212", "-").replace(/[\s\u00a0%,]/g, ""));
}

/** Opens the digit view and waits for the prediction of the first sample. */
export async function openDigit(page: Page): Promise<void> {
  await page.goto("#/digit");
  await expect(page.locator(".winner")).toHaveText("3");
}

/** Opens a view with all of its content: the explanation of a value, the feature maps of a photo. */
export async function openFull(page: Page, view: (typeof VIEWS)[number]): Promise<void> {
  if (view === "digit") {
    await openDigit(page);
    const maps = page.locator(".layer[data-kind=activation] canvas").nth(1);
    await maps.click({ position: { x: 33, y: 33 } });
    await expect(page.locator(".explanation .curve")).toBeVisible();
    return;
  }
  await page.goto(`#/${view}`);
  if (view === "photo") {
    await page.locator(".pictures button").first().click();
    await expect(page.locator(".stages canvas")).toBeVisible();
  } else if (view === "convolution") {
    await expect(page.locator(".comparison")).toBeVisible();
  } else {
    await expect(page.locator("table").last()).toBeVisible();
  }
}

/** Returns the probabilities of the ten digits in full precision. */
export async function probabilities(page: Page): Promise<number[]> {
  const values = await page
    .locator(".answer data")
    .evaluateAll((all) => all.map((one) => (one as HTMLDataElement).value));
  return values.map(Number);
}
