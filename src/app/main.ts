#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Compiled code is kept in the system's temporary folder: the next start takes two thirds of the time. It holds for what is
// imported after this line only.
enableCompileCache();

await import("./command-line.ts");
