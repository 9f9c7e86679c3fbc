import { expect, test } from "@playwright/test";
import { corner, layoutMaps, unitAt } from "../src/colour/layout";
import { maxAbs } from "../src/colour/scale";
import { taps } from "../src/convolution/example";
import { centre, SIZE } from "../src/digit/centre";
import { groups } from "../src/networks/groups";
import { bytes, compact, decimal, percent } from "../src/text/numbers";

/** Returns a drawing with one rectangle of full ink. */
function rectangle(
  size: number,
  left: number,
  top: number,
  width: number,
  height: number,
): Uint8Array {
  const ink = new Uint8Array(size * size);
  for (let row = top; row < top + height; row++) {
    ink.fill(255, row * size + left, row * size + left + width);
  }
  return ink;
}

test("a drawing is scaled to 20 pixels and centred by its centre of mass", () => {
  for (const [left, top, width, height] of [
    [0, 0, 140, 280],
    [200, 30, 10, 40],
    [3, 240, 270, 12],
  ] as const) {
    const image = centre(rectangle(280, left, top, width, height), 280);
    const filled = [...image.keys()].filter((pixel) => (image[pixel] ?? 0) > 0.5);
    const rows = filled.map((pixel) => Math.floor(pixel / SIZE));
    const columns = filled.map((pixel) => pixel % SIZE);
    const extent = (values: number[]) => Math.max(...values) - Math.min(...values) + 1;
    const middle = (values: number[]) => (Math.max(...values) + Math.min(...values) + 1) / 2;
    expect(Math.max(extent(rows), extent(columns))).toBe(20);
    expect(Math.abs(middle(rows) - SIZE / 2)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(middle(columns) - SIZE / 2)).toBeLessThanOrEqual(0.5);
  }
});

test("a blank drawing is a blank image", () => {
  expect(centre(new Uint8Array(280 * 280), 280).every((value) => value === 0)).toBe(true);
});

test("the unit at the corner of a feature map is the first unit", () => {
  for (const shape of [
    [6, 28, 28],
    [16, 5, 5],
    [120, 1, 1],
    [1280, 7, 7],
    [32, 112, 112],
  ] as [number, number, number][]) {
    for (const availableWidth of [288, 600, 1300]) {
      const layout = layoutMaps(shape, availableWidth, 48, 112);
      expect(layout.width).toBeLessThanOrEqual(availableWidth);
      for (const channel of [0, 1, shape[0] - 1]) {
        const { x, y } = corner(layout, channel);
        expect(unitAt(layout, shape, x + 0.1, y + 0.1)).toEqual({ channel, row: 0, column: 0 });
      }
    }
  }
});

test("a window reads the taps of its position in the padded input", () => {
  const settings = { input: 5, kernel: 3, stride: 2, padding: 1, dilation: 1 };
  const positions = (at: number) =>
    taps(settings, 3, at).map(({ row, column }) => `${row}${column}`);
  expect(positions(0).join(" ")).toBe("00 01 02 10 11 12 20 21 22");
  expect(positions(5).join(" ")).toBe("24 25 26 34 35 36 44 45 46");
  const dilated = taps({ ...settings, dilation: 3 }, 1, 0);
  expect(dilated.map(({ column }) => column).slice(0, 3)).toEqual([0, 3, 6]);
});

test("layers are grouped by the shortest prefix that gives five groups", () => {
  const layer = (name: string) => ({
    name,
    kind: "",
    activation: null,
    output: [],
    parameters: 1,
    formula: "",
    macs: 2,
    memory_bytes: 3,
  });
  const names = ["a.1.x", "a.1.y", "a.2.x", "b.1.x", "b.2.x", "b.3.x"];
  const found = groups(names.map(layer));
  expect(found.map(({ name }) => name)).toEqual(["a.1", "a.2", "b.1", "b.2", "b.3"]);
  expect(found[0]).toEqual({ name: "a.1", parameters: 2, macs: 4, memory: 6 });
});

test("numbers are formatted", () => {
  expect(decimal(-0.12345)).toBe("\u22120.1235");
  expect(decimal(-0.00001)).toBe("0.0000");
  expect(percent(0.98765)).toBe("98.77\u00a0%");
  expect(compact(999_600)).toBe("1.00\u00a0M");
  expect(compact(25_557_032)).toBe("25.6\u00a0M");
  expect(compact(12)).toBe("12");
  expect(bytes(36_472)).toBe("36.47\u00a0kB");
  expect(maxAbs([0.5, -2, 1])).toBe(2);
});
