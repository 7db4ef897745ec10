import { apiBench } from "./api.ts";
import { explainBench } from "./explain.ts";
import { kubernetesBench } from "./kubernetes/kubernetes.ts";
import { benchMeshes } from "./meshes.ts";
import { help, readOptions } from "./options.ts";
import { soak } from "./soak.ts";
import { WrongUse } from "./wrong-use.ts";

/** What is run, and its exit code. Without one of these words it is the figures of whole meshes, against other servers. */
const commands: Readonly<Record<string, (args: readonly string[]) => Promise<0 | 1>>> = {
  api: async () => {
    console.log(await apiBench());
    return 0;
  },
  explain: async () => {
    console.log(await explainBench());
    return 0;
  },
  kubernetes: kubernetesBench,
  soak,
};

async function meshes(args: readonly string[]): Promise<0 | 1> {
  const options = readOptions(args);
  if (options !== undefined) return benchMeshes(options);
  console.log(help);
  return 0;
}

const [word = "", ...rest] = process.argv.slice(2);
try {
  const command = commands[word];
  process.exitCode = await (command === undefined ? meshes(process.argv.slice(2)) : command(rest));
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(`${error.message}\nnpm run bench -- --help shows all options.`);
  process.exitCode = 2;
}
