import { SIZE } from "./centre";

/** Height and width of the drawing, in pixels. */
export const CANVAS_SIZE = 280;
/** Width of the pen, in pixels. */
const PEN_WIDTH = 22;

/** A canvas to draw on. The opacity of a pixel is its ink. */
export class DrawingCanvas {
  readonly #context: CanvasRenderingContext2D;
  #pen: { x: number; y: number } | undefined;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("this browser does not support canvas");
    context.lineCap = "round";
    context.lineJoin = "round";
    context.lineWidth = PEN_WIDTH;
    this.#context = context;
  }

  /** Whether the pen is down. */
  get drawing(): boolean {
    return this.#pen !== undefined;
  }

  clear(): void {
    this.#context.clearRect(0, 0, CANVAS_SIZE, CANVAS_SIZE);
    this.#pen = undefined;
  }

  /** Lowers the pen, which draws a dot. */
  down(x: number, y: number): void {
    this.#pen = { x, y };
    this.move(x, y);
  }

  /** Draws a line to a point if the pen is down. */
  move(x: number, y: number): void {
    if (!this.#pen) return;
    this.#context.beginPath();
    this.#context.moveTo(this.#pen.x, this.#pen.y);
    this.#context.lineTo(x, y);
    this.#context.stroke();
    this.#pen = { x, y };
  }

  /** Lifts the pen. */
  up(): void {
    this.#pen = undefined;
  }

  /** Replaces the drawing by a digit of 28x28 pixels, from 0 (paper) to 255 (ink). */
  show(ink: Uint8Array): void {
    this.clear();
    const digit = new ImageData(SIZE, SIZE);
    for (let pixel = 0; pixel < ink.length; pixel++) digit.data[pixel * 4 + 3] = ink[pixel] ?? 0;
    const canvas = new OffscreenCanvas(SIZE, SIZE);
    canvas.getContext("2d")?.putImageData(digit, 0, 0);
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(canvas, 0, 0, CANVAS_SIZE, CANVAS_SIZE);
  }

  /** Returns the ink of each pixel, row by row, from 0 (paper) to 255 (ink). */
  ink(): Uint8Array {
    const { data } = this.#context.getImageData(0, 0, CANVAS_SIZE, CANVAS_SIZE);
    const ink = new Uint8Array(CANVAS_SIZE * CANVAS_SIZE);
    for (let pixel = 0; pixel < ink.length; pixel++) ink[pixel] = data[pixel * 4 + 3] ?? 0;
    return ink;
  }
}
