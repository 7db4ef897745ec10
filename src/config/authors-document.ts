/** What the server says of a rule when it gives it out; none of it is its author's. */
const serversMetadata: ReadonlySet<string> = new Set([
  "createdAt",
  "createdBy",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "appliedFrom",
  "managedBy",
  "managedFields",
  "resourceVersion",
  "revision",
  "selfLink",
  "uid",
  "updatedAt",
  "updatedBy",
]);

/** A document without its status and what the server knows of it, so that what was read can be written again. */
export function authorsDocument(document: unknown): unknown {
  if (!isObject(document)) return document;
  const own = without(document, (name) => name === "status");
  const { metadata } = own;
  return isObject(metadata) ? { ...own, metadata: without(metadata, (name) => serversMetadata.has(name)) } : own;
}

/** A document that says its namespace; one that says it already, or that has no place for it, is the same object. */
export function withNamespace(document: unknown, namespace: string | undefined): unknown {
  if (namespace === undefined || !isObject(document) || !isObject(document["metadata"])) return document;
  const { metadata } = document;
  const written = metadata["namespace"];
  if (written !== undefined && written !== null) return document;
  return { ...document, metadata: { ...metadata, namespace } };
}

type PlainObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is PlainObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const without = (object: PlainObject, isLeftOut: (name: string) => boolean): PlainObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !isLeftOut(name)));
