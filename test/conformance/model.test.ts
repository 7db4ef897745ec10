import { describe, expect, test } from "vitest";
import type { ReceivedResource, Response } from "./client/response.ts";
import { newTypeModel, type TypeModel } from "./model.ts";

const blank = { typeUrl: "", resources: [], removed: [], errors: [], nonce: "2", version: "", size: 0 } as const;

const response = (fields: Partial<Response>): Response => ({ ...blank, type: "EDS", ...fields }) as Response;

const bodyOfA: ReceivedResource = {
  name: "a",
  nameInside: "a",
  typeUrl: "",
  aliases: [],
  wrapped: false,
  version: "1",
  body: new Uint8Array(),
  ttlMs: undefined,
};

/** A client that was told of the endpoints `a`, and dropped them. */
function dropped(): TypeModel {
  const model = newTypeModel("EDS", "delta");
  model.sent({ typeUrl: "", subscribe: ["a", "b"] }, 0);
  model.received(response({ resources: [bodyOfA], nonce: "1" }));
  model.sent({ typeUrl: "", unsubscribe: ["a"], nonce: "1" }, 0);
  return model;
}

describe("a removal that meets the client's own word that it dropped the name", () => {
  const removal = response({ removed: ["a"] });

  test("is fine where the server has it no longer: the two were on their way at once", () => {
    expect(dropped().superfluous(removal, () => true)).toEqual([]);
  });

  test("is an answer that nobody needs where the server still has it", () => {
    expect(dropped().superfluous(removal, () => false)).toHaveLength(1);
  });

  test("is wrong for a name that the client never had", () => {
    expect(dropped().superfluous(response({ removed: ["c"] }), () => true)).toHaveLength(1);
  });
});

describe("a name that is dropped and asked for again", () => {
  const answer = (nonce: string) => response({ resources: [bodyOfA], nonce });

  test("may come twice: for the first time of asking, on its way already, and for the second", () => {
    const model = dropped();
    model.sent({ typeUrl: "", subscribe: ["a"] }, 0);
    model.received(answer("2"));
    expect(model.superfluous(answer("3"))).toEqual([]);
    model.received(answer("3"));
    expect(model.superfluous(answer("4"))).toHaveLength(1);
  });

  test("comes once where nothing was on its way", () => {
    const model = newTypeModel("EDS", "delta");
    model.sent({ typeUrl: "", subscribe: ["a"] }, 0);
    model.received(answer("1"));
    expect(model.superfluous(answer("2"))).toHaveLength(1);
  });
});
