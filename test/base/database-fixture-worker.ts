import { serveDatabase } from "../../src/base/serve-database.ts";
import { format, procedures } from "./database-fixture.ts";

serveDatabase({ procedures, format });
