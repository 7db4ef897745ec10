import type { Decoder } from "../../base/decode.ts";
import { optional, required } from "../../base/decode-object.ts";
import { anyText, shape, time, word } from "../../base/shape.ts";
import type { NewTokenView, Role, TokenView, WhoAmIView } from "../types/access.ts";

/* Who may ask, as clients read them. */

const role = word<Role>("viewer", "editor", "admin");

const tokenFields = {
  id: required(anyText),
  name: required(anyText),
  role: required(role),
  createdAt: required(time),
  createdBy: required(anyText),
  expiresAt: optional(time),
  lastUsedAt: optional(time),
};

export const tokenView: Decoder<TokenView> = shape<TokenView>(tokenFields);
export const newTokenView: Decoder<NewTokenView> = shape<NewTokenView>({ ...tokenFields, token: required(anyText) });
export const whoAmIView: Decoder<WhoAmIView> = shape<WhoAmIView>({ name: required(anyText), role: required(role) });
