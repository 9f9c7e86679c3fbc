import { SIZE } from "./centre";
import address from "./samples.png";

/** Picture of ten MNIST digits, one of each class, side by side; each has 28x28 pixels. */
export const SAMPLES = address;

/** Loads the samples: the ink of each pixel, row by row, from 0 (paper) to 255 (ink). */
export async function samples(): Promise<Uint8Array[]> {
  const response = await fetch(address);
  const picture = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser does not support canvas");
  context.drawImage(picture, 0, 0);
  return Array.from({ length: picture.width / SIZE }, (_, digit) => {
    const { data } = context.getImageData(digit * SIZE, 0, SIZE, SIZE);
    return Uint8Array.from({ length: SIZE * SIZE }, (_, pixel) => data[pixel * 4] ?? 0);
  });
}
