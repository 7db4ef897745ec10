/**
 * What a client has refused, and what of it may come again though nothing has changed: a refused message of several may be sent in
 * parts, each part once, so that the culprit stands alone in the end; what was refused alone never comes again. A resource stands
 * here for its name and its content.
 */
export interface Refusals {
  readonly came: (nonce: string, resources: readonly string[]) => void;
  readonly answered: (nonce: string, isAccepted: boolean) => void;
  /** Whether these are a part, not sent before, of one refused message; call before `came`. */
  readonly isPart: (resources: readonly string[]) => boolean;
}

type Message = ReadonlySet<string>;

export function createRefusals(): Refusals {
  const messages = new Map<string, Message>();
  /** By resource: the smallest message that it was refused in, since it was accepted last. */
  const refusedIn = new Map<string, Message>();
  const sent = new Set<string>();
  return {
    came(nonce, resources) {
      messages.set(nonce, new Set(resources));
      sent.add(keyOf(resources));
    },
    answered(nonce, isAccepted) {
      const message = messages.get(nonce) ?? new Set();
      for (const resource of message) {
        if (isAccepted) refusedIn.delete(resource);
        else if (message.size < (refusedIn.get(resource)?.size ?? Infinity)) refusedIn.set(resource, message);
      }
    },
    isPart(resources) {
      const part = new Set(resources);
      if (part.size === 0 || sent.has(keyOf(resources))) return false;
      return resources.every((resource) => {
        const message = refusedIn.get(resource);
        return message !== undefined && part.size < message.size && part.isSubsetOf(message);
      });
    },
  };
}

const keyOf = (resources: readonly string[]): string => resources.toSorted().join("\n");
