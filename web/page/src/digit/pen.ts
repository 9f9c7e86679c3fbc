import { SIZE } from "./centre";

/** Pixels across the drawing. */
export const SHEET = 280;
const WIDTH = 22;

/** A sheet of paper: a canvas whose opacity is ink. */
export class Sheet {
  readonly #context: CanvasRenderingContext2D;
  #at: { x: number; y: number } | undefined;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("this browser has no canvas");
    context.lineCap = "round";
    context.lineJoin = "round";
    context.lineWidth = WIDTH;
    this.#context = context;
  }

  get drawing(): boolean {
    return this.#at !== undefined;
  }

  clear(): void {
    this.#context.clearRect(0, 0, SHEET, SHEET);
    this.#at = undefined;
  }

  /** Puts the pen down, which leaves a dot. */
  down(x: number, y: number): void {
    this.#at = { x, y };
    this.move(x, y);
  }

  /** Draws to a place, if the pen is down. */
  move(x: number, y: number): void {
    if (!this.#at) return;
    this.#context.beginPath();
    this.#context.moveTo(this.#at.x, this.#at.y);
    this.#context.lineTo(x, y);
    this.#context.stroke();
    this.#at = { x, y };
  }

  up(): void {
    this.#at = undefined;
  }

  /** Shows a digit of 28x28 pixels. */
  show(ink: Uint8Array): void {
    this.clear();
    const digit = new ImageData(SIZE, SIZE);
    for (let pixel = 0; pixel < ink.length; pixel++) digit.data[pixel * 4 + 3] = ink[pixel] ?? 0;
    const canvas = new OffscreenCanvas(SIZE, SIZE);
    canvas.getContext("2d")?.putImageData(digit, 0, 0);
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(canvas, 0, 0, SHEET, SHEET);
  }

  /** Ink of each pixel, 0 to 255. */
  ink(): Uint8Array {
    const { data } = this.#context.getImageData(0, 0, SHEET, SHEET);
    const ink = new Uint8Array(SHEET * SHEET);
    for (let pixel = 0; pixel < ink.length; pixel++) ink[pixel] = data[pixel * 4 + 3] ?? 0;
    return ink;
  }
}
