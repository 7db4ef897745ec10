import { createRequire } from "node:module";
import type { VersionView } from "../api/types/server.ts";

const manifest = createRequire(import.meta.url)("../../package.json") as {
  readonly name: string;
  readonly version: string;
};

export const version: VersionView = { name: manifest.name, version: manifest.version, node: process.versions.node };
