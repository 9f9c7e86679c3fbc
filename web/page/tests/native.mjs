// Writes native.json: the predictions of the native command line for the sample digits and photos.
//
//     node tests/native.mjs path/to/receptive
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { inflateSync } from "node:zlib";

const SIZE = 28;
const PADDING = 2;
// Normalisation of the recipe of LeNet-5: paper is -0.1, ink is 1.175.
const MEAN = 0.078431375;
const STD = 0.78431374;
const PHOTOS = ["coffee.png", "chelsea.png", "rocket.jpg"];

const receptive = process.argv[2];
if (!receptive) {
  console.error("usage: node tests/native.mjs path/to/receptive");
  process.exit(2);
}
const here = import.meta.dirname;
const assets = join(here, "../../../assets");
const run = (...args) => execFileSync(receptive, args, { encoding: "utf8" });

/** Decodes the picture of the samples: a PNG of 8-bit grey without row filters. Returns values from 0 to 1. */
function samples() {
  const file = readFileSync(join(here, "../src/digit/samples.png"));
  const width = file.readUInt32BE(16);
  const chunks = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") {
      chunks.push(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
    }
  }
  const rows = inflateSync(Buffer.concat(chunks));
  return Array.from({ length: width / SIZE }, (_, digit) =>
    Array.from({ length: SIZE * SIZE }, (_, pixel) => {
      const row = Math.floor(pixel / SIZE) * (width + 1);
      return rows[row + 1 + digit * SIZE + (pixel % SIZE)] / 255;
    }),
  );
}

/** Returns a NumPy file of the padded and normalised digits. */
function npy(digits) {
  const side = SIZE + 2 * PADDING;
  const values = new Float32Array(digits.length * side * side).fill((0 - MEAN) / STD);
  for (const [digit, pixels] of digits.entries()) {
    for (const [pixel, ink] of pixels.entries()) {
      const row = Math.floor(pixel / SIZE) + PADDING;
      const column = (pixel % SIZE) + PADDING;
      values[(digit * side + row) * side + column] = (ink - MEAN) / STD;
    }
  }
  const shape = `(${digits.length}, 1, ${side}, ${side})`;
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = Buffer.from(`${description.padEnd(117)}\n`);
  const lead = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]);
  return Buffer.concat([lead, header, Buffer.from(values.buffer)]);
}

function softmax(logits) {
  const max = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - max));
  const sum = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / sum);
}

/** Returns the probabilities of the sample digits. */
function digits(folder) {
  const [input, output] = [join(folder, "digits.npy"), join(folder, "logits.npy")];
  writeFileSync(input, npy(samples()));
  const weights = join(here, "../../../cli/assets/lenet5.safetensors");
  run("run", "lenet5", "--weights", weights, "--input", input, "--output", output);
  const file = readFileSync(output);
  const start = 10 + file.readUInt16LE(8);
  const logits = Array.from({ length: (file.length - start) / 4 }, (_, at) =>
    file.readFloatLE(start + 4 * at),
  );
  return Array.from({ length: logits.length / 10 }, (_, digit) =>
    softmax(logits.slice(digit * 10, digit * 10 + 10)),
  );
}

/** Returns the most probable classes of a photo. */
function photo(name) {
  const [{ predictions }] = JSON.parse(run("classify", join(assets, "photos", name), "--json"));
  const top = predictions.map(({ label, probability }) => ({ label, probability }));
  return { name: basename(name).replace(/\..*/, ""), top };
}

const folder = mkdtempSync(join(tmpdir(), "native-"));
const predictions = { digits: digits(folder), photos: PHOTOS.map(photo) };
rmSync(folder, { recursive: true });
writeFileSync(join(here, "native.json"), `${JSON.stringify(predictions, null, 2)}\n`);
