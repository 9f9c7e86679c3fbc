// Writes FOLDER/index.json, the list of all networks with their total costs, from the list of models in
// FOLDER/models.json and the summaries in FOLDER, and deletes models.json.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

const index = read("models").map(({ name, family, paper, input }) => {
  const { parameters, macs, activation_bytes } = read(name);
  return { name, family, paper, parameters, multiplyAdds: macs, activationBytes: activation_bytes, input };
});
writeFileSync(join(folder, "index.json"), JSON.stringify(index));
rmSync(join(folder, "models.json"));
