import { apiBench } from "./api.ts";

/* Figures for people: `npm run bench -- api`. Nothing is asserted here. */

const benches: Readonly<Record<string, () => Promise<string>>> = { api: apiBench };

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (names.length === 0 || unknown.length > 0) {
  console.error(`Name one or more of: ${Object.keys(benches).join(", ")}.`);
  process.exitCode = 2;
} else {
  for (const name of names) console.log(await benches[name]?.());
}
