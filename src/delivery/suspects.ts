/**
 * Which resources of a refused response are to blame: those that the proxy's text names, else those that were new to it, else
 * all of them.
 */
export function suspectsOf(reason: string, names: readonly string[], changed: readonly string[]): readonly string[] {
  const named = names.filter((name) => isNamedIn(reason, name));
  if (named.length > 0) return named;
  return changed.length > 0 ? changed : names;
}

/** As a word of its own: a resource `a` is not meant by "bad". */
function isNamedIn(text: string, name: string): boolean {
  if (name === "") return false;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (isFree(text, at - 1, -1) && isFree(text, at + name.length, 1)) return true;
  }
  return false;
}

const partOfName = /[\w|/-]/;

/** Is there no part of a longer name at this place? A full stop or colon belongs to a name only when more of it follows. */
function isFree(text: string, at: number, direction: 1 | -1): boolean {
  const char = text.charAt(at);
  if (char === "." || char === ":") return !partOfName.test(text.charAt(at + direction));
  return !partOfName.test(char);
}
