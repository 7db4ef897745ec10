import { hash } from "node:crypto";

/** Short content hash of canonical bytes or text: 22 characters of base64url, 128 bits of SHA-256. */
export function contentHash(content: Uint8Array | string): string {
  return hash("sha256", content, "base64url").slice(0, 22);
}
