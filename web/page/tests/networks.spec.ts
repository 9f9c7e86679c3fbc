import { expect, read, test } from "./page";

test("every network has its drawings and its costs", async ({ page }) => {
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
      const drawing = page.getByRole("img", { name: `Drawing of ${name}: ${style}` });
      await expect
        .poll(() => drawing.evaluate((image: HTMLImageElement) => image.naturalWidth))
        .toBeGreaterThan(0);
    }
  }
});

test("the costs of a table add up to its totals", async ({ page }) => {
  await page.goto("#/networks/vgg16");
  const column = async (place: number) => {
    const cells = page.locator(`.sortable tbody tr > :nth-child(${place})`);
    return (await cells.allTextContents()).map(read).reduce((sum, value) => sum + value, 0);
  };
  await expect(page.locator(".facts dd").nth(1)).toHaveText("138,357,544");
  expect(await column(7)).toBe(138_357_544);
  expect(await column(8)).toBe(read(await page.locator(".facts dd").nth(3).textContent()));
});

test("tables are sorted by each column, both ways", async ({ page }) => {
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

test("a name that is not known says so", async ({ page }) => {
  await page.goto("#/networks/lenet6");
  await expect(page.getByRole("alert").filter({ hasText: "lenet6" })).toBeVisible();
});
