declare const brand: unique symbol;

/** A value of type `T` that only the parser of `Name` can make: a plain `T` does not fit where it is asked for. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** For the `default` of an exhaustive switch: a forgotten case is a compile error, a foreign value at run time a clear one. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
