import { test as base, expect, type Page } from "@playwright/test";

/** A test whose page may log no error, whose every request must succeed, and all of them at one origin. */
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

export const PARTS = ["digit", "photo", "convolution", "networks", "networks/lenet5"] as const;

/** Makes a browser of this one whose WebAssembly has no vectors. */
export async function withoutVectors(page: Page): Promise<void> {
  await page.route(/\/worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    const body = `WebAssembly.validate = () => false;\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
}

/** The number that a reader sees. */
export function read(text: string | null): number {
  return Number((text ?? "").replaceAll("\u2212", "-").replace(/[\s\u00a0%,]/g, ""));
}

/** Opens the digit part and waits until the first sample is answered. */
export async function openDigit(page: Page): Promise<void> {
  await page.goto("#/digit");
  await expect(page.locator(".winner")).toHaveText("3");
}

/** Opens a part with all that it can show: a value's arithmetic, a photo's maps. */
export async function openFull(page: Page, part: (typeof PARTS)[number]): Promise<void> {
  if (part === "digit") {
    await openDigit(page);
    const maps = page.locator(".layer[data-kind=activation] canvas").nth(1);
    await maps.click({ position: { x: 33, y: 33 } });
    await expect(page.locator(".explanation .curve")).toBeVisible();
    return;
  }
  await page.goto(`#/${part}`);
  if (part === "photo") {
    await page.locator(".pictures button").first().click();
    await expect(page.locator(".stages canvas")).toBeVisible();
  } else if (part === "convolution") {
    await expect(page.locator(".comparison")).toBeVisible();
  } else {
    await expect(page.locator("table").last()).toBeVisible();
  }
}

/** The probabilities of the ten digits, with all their digits. */
export async function probabilities(page: Page): Promise<number[]> {
  const values = await page
    .locator(".answer data")
    .evaluateAll((all) => all.map((one) => (one as HTMLDataElement).value));
  return values.map(Number);
}
