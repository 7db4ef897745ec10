import { hash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * The text of a token: `fw_<id>_<secret><checksum>`, in letters and digits. It is one word to double-click on; its prefix and
 * checksum (CRC-32) let secret scanners find it with certainty, and tell a slip of the pen from a wrong token.
 */
export interface TokenText {
  /** Public: names the token in lists and in the database. */
  readonly id: string;
  /** 256 random bits. */
  readonly secret: string;
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const idChars = 10;
const secretChars = 43;
const checksumChars = 6;

const grammar = new RegExp(
  `^fw_([0-9A-Za-z]{${idChars}})_([0-9A-Za-z]{${secretChars}})([0-9A-Za-z]{${checksumChars}})$`,
);

export const newTokenText = (): TokenText => ({ id: randomWord(idChars), secret: randomWord(secretChars) });

export const formatTokenText = ({ id, secret }: TokenText): string => `fw_${id}_${secret}${checksumOf(id, secret)}`;

export type ParsedToken =
  | ({ readonly kind: "token" } & TokenText)
  /** Not the shape of a token at all. */
  | { readonly kind: "malformed" }
  /** The shape is right and the checksum wrong: it was copied with a mistake. */
  | { readonly kind: "mistyped" };

export function parseTokenText(text: string): ParsedToken {
  const [, id, secret, checksum] = grammar.exec(text) ?? [];
  if (id === undefined || secret === undefined) return { kind: "malformed" };
  return checksum === checksumOf(id, secret) ? { kind: "token", id, secret } : { kind: "mistyped" };
}

/** SHA-256: all that is kept of a secret. Nothing slower is needed where 256 random bits would have to be guessed. */
export const secretHash = (secret: string): Uint8Array => hash("sha256", secret, "buffer");

const randomWord = (length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");

function checksumOf(id: string, secret: string): string {
  let rest = crc32(`${id}_${secret}`);
  let digits = "";
  for (let i = 0; i < checksumChars; i++) {
    digits = `${alphabet[rest % alphabet.length]}${digits}`;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}
