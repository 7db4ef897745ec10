import { apiBench } from "./api.ts";
import { benchMeshes } from "./meshes.ts";
import { help, readOptions, WrongUse } from "./options.ts";

/* `npm run bench`: figures of whole meshes, against other servers. `npm run bench -- api`: figures of the API. */

const args = process.argv.slice(2);
if (args[0] === "api") console.log(await apiBench());
else {
  try {
    const options = readOptions(args);
    if (options === undefined) console.log(help);
    else process.exitCode = await benchMeshes(options);
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    console.error(`${error.message}\nnpm run bench -- --help shows all options.`);
    process.exitCode = 2;
  }
}
