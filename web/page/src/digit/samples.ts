import { SIZE } from "./centre";
import address from "./samples.png";

/** The picture that holds one digit of MNIST's test set for each class, 28x28 pixels each in a row. */
export const SAMPLES = address;

/** Ink of each sample, 0 to 255, pixel by pixel as in the picture. */
export async function samples(): Promise<Uint8Array[]> {
  const response = await fetch(address);
  const picture = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser has no canvas");
  context.drawImage(picture, 0, 0);
  return Array.from({ length: picture.width / SIZE }, (_, digit) => {
    const { data } = context.getImageData(digit * SIZE, 0, SIZE, SIZE);
    return Uint8Array.from({ length: SIZE * SIZE }, (_, pixel) => data[pixel * 4] ?? 0);
  });
}
