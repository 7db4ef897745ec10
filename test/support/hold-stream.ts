/** A client in a process of its own, which a test may stop: `node hold-stream.ts PORT` opens a stream and says so. */
import { connectXds } from "./xds-client.ts";

const stream = connectXds(Number(process.argv[2])).openDelta();
stream.send("CDS", { node: { id: "sidecar~10.0.0.9~web-1.shop~shop.svc.cluster.local" } });
await stream.accept("CDS");
console.log("holding");
