import { serveDatabase } from "../base/serve-database.ts";
import { storeFormat, storeProcedures } from "./store-layout.ts";

serveDatabase({ procedures: storeProcedures, format: storeFormat });
