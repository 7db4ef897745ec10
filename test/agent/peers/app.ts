import { createServer } from "node:http";

// Answers with who it is and who calls, on each of the ports: node app.ts NAME PORT…
const [name = "", ...ports] = process.argv.slice(2);

for (const port of ports) {
  const server = createServer((request, response) => {
    response.end(JSON.stringify({ who: name, peer: request.socket.remoteAddress?.replace("::ffff:", "") }));
  });
  await new Promise<void>((resolve) => server.listen(Number(port), "::", resolve));
}
console.log("ready");
