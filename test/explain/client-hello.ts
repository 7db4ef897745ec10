/** The first message of a TLS client, with just what a server needs to read it. */
export function clientHello(serverName: string | undefined, applicationProtocols: readonly string[]): Buffer {
  const name = Buffer.from(serverName ?? "");
  const extensions = [
    ...(serverName === undefined ? [] : [extension(0, sized(2, Buffer.of(0), sized(2, name)))]),
    extension(10, sized(2, Buffer.of(0x00, 0x1d))),
    extension(13, sized(2, Buffer.of(0x04, 0x03, 0x08, 0x04))),
    ...(applicationProtocols.length === 0
      ? []
      : [extension(16, sized(2, ...applicationProtocols.map((one) => sized(1, Buffer.from(one)))))]),
  ];
  const ciphers = sized(2, Buffer.of(0xc0, 0x2b, 0xc0, 0x2f));
  const noSession = sized(1);
  const noCompression = sized(1, Buffer.of(0));
  const hello = [Buffer.of(3, 3), Buffer.alloc(32, 7), noSession, ciphers, noCompression, sized(2, ...extensions)];
  return Buffer.concat([Buffer.of(22, 3, 1), sized(2, Buffer.of(1), sized(3, ...hello))]);
}

const extension = (kind: number, body: Buffer): Buffer => Buffer.concat([Buffer.of(0, kind), sized(2, body)]);

/** After their length, which is a number of so many bytes. */
function sized(width: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(width);
  length.writeUIntBE(body.length, 0, width);
  return Buffer.concat([length, body]);
}
