import { expect, parseNumber, test } from "./page";

test("every network has diagrams and costs", async ({ page }) => {
  test.setTimeout(180_000);
  await page.goto("#/networks");
  const links = page.locator("tbody th a");
  await links.first().waitFor();
  const names = await links.allTextContents();
  expect(names.length).toBeGreaterThanOrEqual(32);
  for (const name of names) {
    await page.goto(`#/networks/${name}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    await expect(page.locator(".sortable tbody tr").first()).toBeVisible();
    for (const style of ["Blocks", "Operations"]) {
      await page.getByRole("radio", { name: style }).check();
      const drawing = page.getByRole("img", { name: `Diagram of ${name}: ${style}` });
      await expect
        .poll(() => drawing.evaluate((image: HTMLImageElement) => image.naturalWidth))
        .toBeGreaterThan(0);
    }
  }
});

test("the costs of the layers add up to the totals", async ({ page }) => {
  await page.goto("#/networks/vgg16");
  const columnSum = async (column: number) => {
    const cells = page.locator(`.sortable tbody tr > :nth-child(${column})`);
    return (await cells.allTextContents()).map(parseNumber).reduce((sum, value) => sum + value, 0);
  };
  await expect(page.locator(".facts dd").nth(1)).toHaveText("138,357,544");
  expect(await columnSum(7)).toBe(138_357_544);
  expect(await columnSum(8)).toBe(
    parseNumber(await page.locator(".facts dd").nth(3).textContent()),
  );
});

test("tables can be sorted by each column, in both directions", async ({ page }) => {
  await page.goto("#/networks");
  const heading = page.getByRole("columnheader", { name: "Parameters" });
  await heading.getByRole("button").click();
  await expect(heading).toHaveAttribute("aria-sort", "descending");
  await expect(page.locator("tbody th").first()).toHaveText("vgg19-bn");
  await heading.getByRole("button").press("Enter");
  await expect(heading).toHaveAttribute("aria-sort", "ascending");
  await expect(page.locator("tbody th").first()).toHaveText("lenet5-1998");
  await heading.getByRole("button").press("Enter");
  await expect(heading).toHaveAttribute("aria-sort", "none");
  const headings = page.getByRole("columnheader");
  for (let column = 0; column < (await headings.count()); column++) {
    await headings.nth(column).getByRole("button").click();
    await expect(headings.nth(column)).not.toHaveAttribute("aria-sort", "none");
  }
});

test("an unknown network shows an error", async ({ page }) => {
  await page.goto("#/networks/lenet6");
  await expect(page.getByRole("alert").filter({ hasText: "lenet6" })).toBeVisible();
});
